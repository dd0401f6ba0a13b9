#ifndef BACALHAU_WASMTIME_SHIM_H
#define BACALHAU_WASMTIME_SHIM_H

#include "wasmtime.h"

// A run's place in C: what a host call needs without looking anything up.
typedef struct {
	uintptr_t handle; // of the Go side
	wasmtime_memory_t memory;
	wasmtime_global_t fuel;
	wasmtime_func_t start;
} bacalhau_run;

// How a step ended. Exactly one of error and trap can be set.
typedef struct {
	wasmtime_error_t *error;
	wasm_trap_t *trap;
} bacalhau_end;

wasm_engine_t *bacalhau_engine_new(size_t stack_bytes);
wasmtime_error_t *bacalhau_memory_new(void *env, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
	size_t reserved, size_t guard, wasmtime_linear_memory_t *memory);
wasmtime_error_t *bacalhau_define(wasmtime_linker_t *linker, uintptr_t index, const char *module, size_t module_len,
	const char *name, size_t name_len, const char *params, size_t params_len, size_t results);
bacalhau_end bacalhau_instantiate(const wasmtime_instance_pre_t *pre, wasmtime_context_t *context, bacalhau_run *run,
	const char *fuel_export, size_t fuel_export_len);
bacalhau_end bacalhau_start(wasmtime_context_t *context, bacalhau_run *run);
int64_t bacalhau_fuel(wasmtime_context_t *context, bacalhau_run *run);
wasmtime_error_t *bacalhau_set_fuel(wasmtime_context_t *context, bacalhau_run *run, int64_t fuel);
size_t bacalhau_stack_left(void);

#endif
