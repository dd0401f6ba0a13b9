package wasi

// Errno is an error number of WASI preview1. As a Go error it is an answer to
// the guest and never ends a run.
type Errno uint16

const (
	Success     Errno = 0
	Badf        Errno = 8  // no such descriptor, or not open for that
	Busy        Errno = 10 // a directory that may not go away
	Exist       Errno = 20
	Fault       Errno = 21 // an address outside the guest's memory
	Fbig        Errno = 22
	Ilseq       Errno = 25 // a name that is not UTF-8
	Inval       Errno = 28
	Isdir       Errno = 31
	Mfile       Errno = 33 // too many open descriptors
	Nametoolong Errno = 37
	Noent       Errno = 44
	Nospc       Errno = 51 // the output quota is used up
	Nosys       Errno = 52
	Notdir      Errno = 54
	Notempty    Errno = 55
	Notsock     Errno = 57
	Notsup      Errno = 58
	Overflow    Errno = 61
	Perm        Errno = 63 // a path out of its directory, or a link
	Rofs        Errno = 69 // a change below /inputs
	Spipe       Errno = 70
	Notcapable  Errno = 76
)

var errnoNames = map[Errno]string{
	Success: "success", Badf: "badf", Busy: "busy", Exist: "exist", Fault: "fault", Fbig: "fbig", Ilseq: "ilseq",
	Inval: "inval", Isdir: "isdir", Mfile: "mfile", Nametoolong: "nametoolong", Noent: "noent", Nospc: "nospc",
	Nosys: "nosys", Notdir: "notdir", Notempty: "notempty", Notsock: "notsock", Notsup: "notsup", Overflow: "overflow",
	Perm: "perm", Rofs: "rofs", Spipe: "spipe", Notcapable: "notcapable",
}

func (e Errno) Error() string { return "wasi: " + errnoNames[e] }
