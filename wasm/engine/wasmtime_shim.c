//go:build cgo && (linux || darwin) && (amd64 || arm64)

#define _GNU_SOURCE
#include "wasmtime_shim.h"
#include <pthread.h>

// Result in the low half, "stop" in bit 32. Implemented in Go.
extern uint64_t bacalhauHostCall(uintptr_t handle, uintptr_t index, uint8_t *memory, size_t size,
	wasmtime_val_raw_t *args, int64_t *fuel);

wasm_engine_t *bacalhau_engine_new(size_t stack_bytes) {
	wasm_config_t *c = wasm_config_new();
	wasmtime_config_max_wasm_stack_set(c, stack_bytes);
	wasmtime_config_wasm_threads_set(c, false);
	wasmtime_config_wasm_tail_call_set(c, false);
	wasmtime_config_wasm_relaxed_simd_set(c, false);
	wasmtime_config_wasm_multi_memory_set(c, false);
	wasmtime_config_wasm_memory64_set(c, false);
	wasmtime_config_consume_fuel_set(c, false);
	wasmtime_config_epoch_interruption_set(c, false);
	wasmtime_config_cranelift_nan_canonicalization_set(c, false);
	// A copy-on-write image of the initial memory pays off for modules that are instantiated many times over; ours run
	// once in a process of their own, which may not write the file that such an image is.
	wasmtime_config_memory_init_cow_set(c, false);
	wasmtime_memory_creator_t memories = {.new_memory = bacalhau_memory_new};
	wasmtime_config_host_memory_creator_set(c, &memories);
	return wasm_engine_new_with_config(c);
}

int64_t bacalhau_fuel(wasmtime_context_t *context, bacalhau_run *run) {
	wasmtime_val_t v;
	wasmtime_global_get(context, &run->fuel, &v);
	return v.of.i64;
}

wasmtime_error_t *bacalhau_set_fuel(wasmtime_context_t *context, bacalhau_run *run, int64_t fuel) {
	wasmtime_val_t v = {.kind = WASM_KIND_I64, .of = {.i64 = fuel}};
	return wasmtime_global_set(context, &run->fuel, &v);
}

static wasm_trap_t *stop(void) { return wasmtime_trap_new("stopped by the host", 19); }

static wasm_trap_t *host_call(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *args, size_t n) {
	(void)n;
	wasmtime_context_t *context = wasmtime_caller_context(caller);
	bacalhau_run *run = wasmtime_context_get_data(context);
	int64_t before = bacalhau_fuel(context, run), fuel = before;
	uint64_t r = bacalhauHostCall(run->handle, (uintptr_t)env, wasmtime_memory_data(context, &run->memory),
		wasmtime_memory_data_size(context, &run->memory), args, &fuel);
	if (fuel != before) {
		wasmtime_error_t *e = bacalhau_set_fuel(context, run, fuel);
		if (e) {
			wasmtime_error_delete(e);
			return stop();
		}
	}
	if (r >> 32)
		return stop();
	args[0].i32 = (int32_t)r;
	return NULL;
}

wasmtime_error_t *bacalhau_define(wasmtime_linker_t *linker, uintptr_t index, const char *module, size_t module_len,
	const char *name, size_t name_len, const char *params, size_t params_len, size_t results) {
	wasm_valtype_t *p[16], *r[1];
	for (size_t i = 0; i < params_len; i++)
		p[i] = wasm_valtype_new(params[i] == 'i' ? WASM_KIND_I32 : WASM_KIND_I64);
	if (results)
		r[0] = wasm_valtype_new(WASM_KIND_I32);
	wasm_valtype_vec_t pv, rv;
	wasm_valtype_vec_new(&pv, params_len, p);
	wasm_valtype_vec_new(&rv, results, r);
	wasm_functype_t *type = wasm_functype_new(&pv, &rv);
	wasmtime_error_t *e = wasmtime_linker_define_func_unchecked(linker, module, module_len, name, name_len, type,
		host_call, (void *)index, NULL);
	wasm_functype_delete(type);
	return e;
}

bacalhau_end bacalhau_instantiate(const wasmtime_instance_pre_t *pre, wasmtime_context_t *context, bacalhau_run *run,
	const char *fuel_export, size_t fuel_export_len) {
	bacalhau_end end = {0};
	wasmtime_instance_t instance;
	end.error = wasmtime_instance_pre_instantiate(pre, context, &instance, &end.trap);
	if (end.error || end.trap)
		return end;
	wasmtime_extern_t memory, fuel, start;
	if (!wasmtime_instance_export_get(context, &instance, "memory", 6, &memory) || memory.kind != EXTERN_MEMORY ||
		!wasmtime_instance_export_get(context, &instance, "_start", 6, &start) || start.kind != EXTERN_FUNC ||
		!wasmtime_instance_export_get(context, &instance, fuel_export, fuel_export_len, &fuel) || fuel.kind != EXTERN_GLOBAL) {
		end.trap = wasmtime_trap_new("memory, _start or the fuel global is missing", 44);
		return end;
	}
	run->memory = memory.of.memory;
	run->start = start.of.func;
	run->fuel = fuel.of.global;
	return end;
}

bacalhau_end bacalhau_start(wasmtime_context_t *context, bacalhau_run *run) {
	bacalhau_end end = {0};
	end.error = wasmtime_func_call(context, &run->start, NULL, 0, NULL, 0, &end.trap);
	return end;
}

// Bytes of stack below here on this thread, or the largest number if unknown.
size_t bacalhau_stack_left(void) {
#ifdef __linux__
	pthread_attr_t attr;
	void *base;
	size_t size;
	if (pthread_getattr_np(pthread_self(), &attr))
		return SIZE_MAX;
	int failed = pthread_attr_getstack(&attr, &base, &size);
	pthread_attr_destroy(&attr);
	if (failed)
		return SIZE_MAX;
	return (size_t)((char *)__builtin_frame_address(0) - (char *)base);
#else
	return SIZE_MAX;
#endif
}
