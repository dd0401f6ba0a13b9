// Package bench measures what it costs to run programs deterministically, against plain engines and native code.
package bench

import (
	"fmt"
	"os"
	"strings"
)

// Program is a benchmark program. It prints a result that depends on all of its
// work, the same one however it was built.
type Program struct {
	Name string
	// Source is a C file or a directory with a Go command, below the package's.
	Source string
	// Reads says that it takes the path of the data file as its argument.
	Reads   bool
	Library library  // in C, compiled with it; the zero library is none
	WASM    []string // flags of the compiler to WebAssembly
}

// library is part of somebody else's library in C, inside a Go module that
// sources/go.mod pins.
type library struct {
	Module string
	Files  []string // below the module's root, without ".c"
	Flags  []string // of both compilers
}

// sqlite is a database. WASI has no threads, shared memory or libraries to load.
var sqlite = library{
	Module: "github.com/mattn/go-sqlite3",
	Files:  []string{"sqlite3-binding"},
	Flags: []string{
		"-DSQLITE_THREADSAFE=0", "-DSQLITE_MAX_MMAP_SIZE=0",
		"-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_OMIT_SHARED_CACHE", "-DSQLITE_OMIT_WAL",
	},
}

var zstd = library{
	Module: "github.com/DataDog/zstd",
	Files: []string{
		"debug", "entropy_common", "error_private", "fse_compress", "fse_decompress", "hist", "huf_compress", "huf_decompress",
		"xxhash", "zstd_common", "zstd_compress", "zstd_compress_literals", "zstd_compress_sequences",
		"zstd_compress_superblock", "zstd_ddict", "zstd_decompress", "zstd_decompress_block", "zstd_double_fast", "zstd_fast",
		"zstd_lazy", "zstd_ldm", "zstd_opt", "zstd_preSplit",
	},
	Flags: []string{"-DZSTD_DISABLE_ASM=1", "-DZSTD_LEGACY_SUPPORT=0"},
}

// Programs are those of the table.
var Programs = []Program{
	{Name: "hash", Source: "programs/hash.c"},
	{Name: "nbody", Source: "programs/nbody.c"},
	{Name: "matmul", Source: "programs/matmul.c"},
	{Name: "matmul SIMD", Source: "programs/matmul_simd.c", WASM: []string{"-msimd128"}},
	{Name: "mandelbrot", Source: "programs/mandelbrot.c"},
	{Name: "sort", Source: "programs/sort.c"},
	{Name: "downscale", Source: "programs/downscale.c"},
	{Name: "json", Source: "programs/json.c"},
	{Name: "regex", Source: "programs/regex.c", Reads: true},
	{Name: "deflate", Source: "programs/deflate.c", Reads: true},
	{Name: "zstd", Source: "programs/zstd.c", Reads: true, Library: zstd},
	{Name: "sqlite", Source: "programs/sqlite.c", Library: sqlite, WASM: []string{"-D_WASI_EMULATED_GETPID", "-lwasi-emulated-getpid"}},
	{Name: "csv", Source: "programs/csv.c", Reads: true},
	Reading,
	{Name: "json (Go)", Source: "programs/json"},
}

// Reading is the program that does nothing but read.
var Reading = Program{Name: "read", Source: "programs/read.c", Reads: true}

// Hello is the program whose start is measured.
var Hello = Program{Name: "hello (Go)", Source: "programs/hello"}

// IsC says whether the program is written in C.
func (p Program) IsC() bool { return strings.HasSuffix(p.Source, ".c") }

// WriteData writes a table of numbers, 16 MiB of CSV.
func WriteData(path string) error {
	var b strings.Builder
	for x := uint32(1); b.Len() < 16<<20; {
		for column := range 8 {
			x ^= x << 13
			x ^= x >> 17
			x ^= x << 5
			separator := ","
			if column == 7 {
				separator = "\n"
			}
			fmt.Fprintf(&b, "%d%s", x>>(x%24), separator)
		}
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
