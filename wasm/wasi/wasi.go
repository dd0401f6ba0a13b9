// Package wasi is a WASI preview1 host that answers every guest alike.
//
// Nothing that a guest says reaches the operating system. Inputs are a fixed
// map of names to readers below /inputs, outputs are kept below /outputs under
// a byte quota, in memory and beyond a threshold in one file on disk, the clock is virtual, randomness comes from a
// seed. Directories list their entries in the order in which they were made,
// which for inputs is the order of their names.
package wasi

import (
	"errors"
	"io"
)

// File is an input, read lazily.
type File interface {
	io.ReaderAt
	Size() int64 // bytes
}

// Config is what a guest gets to see.
type Config struct {
	Args        []string        // argv, with argv[0]
	Env         []string        // "NAME=value", in the order shown
	Inputs      map[string]File // slash path below /inputs; directories are implied
	Seed        [32]byte        // of random_get
	OutputBytes uint64          // quota of stdout, stderr, output files and their names together
	Spill       Spill           // of outputs that are too large for memory
}

// Meter takes payment for host work, in fuel, before the work is done. Its
// error ends the run.
type Meter interface {
	Charge(fuel uint64) error
}

// ErrExit is returned by Host.Call when the guest has called proc_exit.
var ErrExit = errors.New("the guest exited")

// Prices of host work in fuel. They are part of the execution profile.
const (
	priceCall     = 30_000
	priceByte     = 10
	priceEntry    = 1000 // looking at one directory entry, path component or vector
	pricePathByte = 20
	priceRandom   = 40 // a byte
)

// Func is a host function. Params has one letter per parameter, 'i' for i32 and
// 'l' for i64. All return an errno as i32 except proc_exit.
type Func struct {
	Name    string
	Params  string
	Results string
	do      func(*call) error
}

// Module is the name of the import module that the functions belong to.
const Module = "wasi_snapshot_preview1"

// call is one call of the guest: its memory and arguments.
type call struct {
	*Host
	memory []byte
	args   []uint64
	meter  Meter
}

// Call runs function number i of Funcs and returns its errno. Any error ends
// the run: ErrExit, the meter's, or a failure to read an input or to keep an
// output, which says nothing about the program.
func (h *Host) Call(i int, memory []byte, args []uint64, meter Meter) (Errno, error) {
	if err := meter.Charge(priceCall); err != nil {
		return 0, err
	}
	c := call{Host: h, memory: memory, args: args, meter: meter}
	err := Funcs[i].do(&c)
	if e, ok := err.(Errno); ok {
		return e, nil
	}
	return 0, err
}

// bytes gives n bytes of guest memory at address p, or a fault.
func (c *call) bytes(p, n uint64) ([]byte, error) {
	p, n = uint64(uint32(p)), uint64(uint32(n))
	if p+n > uint64(len(c.memory)) {
		return nil, Fault
	}
	return c.memory[p : p+n : p+n], nil
}

func (c *call) chargeBytes(n uint64) error { return c.meter.Charge(n * priceByte) }

// Funcs are the host functions, in the order in which Call numbers them.
var Funcs = []Func{
	{"args_get", "ii", "i", argsGet},
	{"args_sizes_get", "ii", "i", argsSizesGet},
	{"environ_get", "ii", "i", environGet},
	{"environ_sizes_get", "ii", "i", environSizesGet},
	{"clock_res_get", "ii", "i", clockResGet},
	{"clock_time_get", "ili", "i", clockTimeGet},
	{"fd_advise", "illi", "i", fdAdvise},
	{"fd_allocate", "ill", "i", fdAllocate},
	{"fd_close", "i", "i", fdClose},
	{"fd_datasync", "i", "i", fdSync},
	{"fd_fdstat_get", "ii", "i", fdStatGet},
	{"fd_fdstat_set_flags", "ii", "i", fdStatSetFlags},
	{"fd_fdstat_set_rights", "ill", "i", fdStatSetRights},
	{"fd_filestat_get", "ii", "i", fdFilestatGet},
	{"fd_filestat_set_size", "il", "i", fdFilestatSetSize},
	{"fd_filestat_set_times", "illi", "i", fdFilestatSetTimes},
	{"fd_pread", "iiili", "i", fdPread},
	{"fd_prestat_dir_name", "iii", "i", fdPrestatDirName},
	{"fd_prestat_get", "ii", "i", fdPrestatGet},
	{"fd_pwrite", "iiili", "i", fdPwrite},
	{"fd_read", "iiii", "i", fdRead},
	{"fd_readdir", "iiili", "i", fdReaddir},
	{"fd_renumber", "ii", "i", fdRenumber},
	{"fd_seek", "ilii", "i", fdSeek},
	{"fd_sync", "i", "i", fdSync},
	{"fd_tell", "ii", "i", fdTell},
	{"fd_write", "iiii", "i", fdWrite},
	{"path_create_directory", "iii", "i", pathCreateDirectory},
	{"path_filestat_get", "iiiii", "i", pathFilestatGet},
	{"path_filestat_set_times", "iiiilli", "i", pathFilestatSetTimes},
	{"path_link", "iiiiiii", "i", pathLink},
	{"path_open", "iiiiillii", "i", pathOpen},
	{"path_readlink", "iiiiii", "i", pathReadlink},
	{"path_remove_directory", "iii", "i", pathRemoveDirectory},
	{"path_rename", "iiiiii", "i", pathRename},
	{"path_symlink", "iiiii", "i", pathSymlink},
	{"path_unlink_file", "iii", "i", pathUnlinkFile},
	{"poll_oneoff", "iiii", "i", pollOneoff},
	{"proc_exit", "i", "", procExit},
	{"proc_raise", "i", "i", procRaise},
	{"random_get", "ii", "i", randomGet},
	{"sched_yield", "", "i", schedYield},
	{"sock_accept", "iii", "i", sock},
	{"sock_recv", "iiiiii", "i", sock},
	{"sock_send", "iiiii", "i", sock},
	{"sock_shutdown", "ii", "i", sock},
}
