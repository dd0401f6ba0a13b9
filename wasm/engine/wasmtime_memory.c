//go:build cgo && (linux || darwin) && (amd64 || arm64)

#define _GNU_SOURCE
#include "wasmtime_shim.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// A guest's memory: address space for all that it may grow to and a guard behind, of which the system is asked to fill
// what is used with huge pages. A guest in a process of its own pays for each page that it touches first, and with small
// pages that is most of what starting a program takes.
typedef struct {
	uint8_t *base;
	size_t size;     // bytes in use
	size_t reserved; // bytes that it may grow to
	size_t mapped;   // bytes with the guard
} linear_memory;

static wasmtime_error_t *failed(void) { return wasmtime_error_new(strerror(errno)); }

static uint8_t *get(void *env, size_t *size, size_t *capacity) {
	linear_memory *m = env;
	*size = m->size;
	*capacity = m->reserved;
	return m->base;
}

static wasmtime_error_t *grow(void *env, size_t size) {
	linear_memory *m = env;
	if (size > m->reserved)
		return wasmtime_error_new("a memory outgrows its reservation");
	if (size > m->size && mprotect(m->base, size, PROT_READ | PROT_WRITE))
		return failed();
	m->size = size;
	return NULL;
}

static void finalize(void *env) {
	linear_memory *m = env;
	munmap(m->base, m->mapped);
	free(m);
}

wasmtime_error_t *bacalhau_memory_new(void *env, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
	size_t reserved, size_t guard, wasmtime_linear_memory_t *memory) {
	(void)env, (void)type, (void)maximum;
	linear_memory *m = calloc(1, sizeof *m);
	if (!m)
		return failed();
	m->reserved = reserved > minimum ? reserved : minimum;
	m->mapped = m->reserved + guard;
	m->base = mmap(NULL, m->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->base == MAP_FAILED) {
		wasmtime_error_t *e = failed();
		free(m);
		return e;
	}
#ifdef MADV_HUGEPAGE
	madvise(m->base, m->reserved, MADV_HUGEPAGE); // slower without, nothing else
#endif
	wasmtime_error_t *e = grow(m, minimum);
	if (e) {
		finalize(m);
		return e;
	}
	*memory = (wasmtime_linear_memory_t){m, get, grow, finalize};
	return NULL;
}
