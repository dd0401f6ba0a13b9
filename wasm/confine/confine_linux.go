package confine

import (
	"fmt"
	"os"
	"runtime"
	"slices"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// confine takes from this process what the job does not need and says by which layers. Of files those stay within reach
// that loading a program takes, until seal: its image, which has no place among files, and what is in j.Scratch. Layers
// that the kernel lacks are left out.
func confine(j *job) (layers []string, err error) {
	if landlockWorks() {
		if err := restrictFiles(j.Scratch); err != nil {
			return nil, fmt.Errorf("landlock: %w", err)
		}
		layers = append(layers, "landlock")
	}
	if err := setLimits(j, !j.opensFiles()); err != nil {
		return nil, err
	}
	layers = append(layers, "rlimits")
	if seccomp.Supported() {
		if err := filterCalls(j.opensFiles(), j.Spill.Most > 0); err != nil {
			return nil, err
		}
		layers = append(layers, "seccomp")
	}
	return layers, nil
}

// seal takes the files from a process that confine has left some.
func seal(j *job) error {
	if !j.opensFiles() {
		return nil
	}
	if err := setLimits(j, true); err != nil {
		return err
	}
	if !seccomp.Supported() {
		return nil
	}
	return filterCalls(false, j.Spill.Most > 0)
}

// freeBytes says how much is free on the disk of a file.
func freeBytes(f *os.File) (uint64, error) {
	var s unix.Statfs_t
	err := unix.Fstatfs(int(f.Fd()), &s)
	return s.Bavail * uint64(s.Bsize), err
}

func landlockWorks() bool {
	version, err := landlocksys.LandlockGetABIVersion()
	return err == nil && version > 0
}

// restrictFiles lets all threads use files in dir only, or none if dir is "", and no TCP. The scopes of later versions
// would keep threads from signalling each other, and concern calls that the filter kills for anyway.
func restrictFiles(dir string) error {
	var rules []landlock.Rule
	if dir != "" {
		rules = append(rules, landlock.RWDirs(dir))
	}
	return landlock.V5.BestEffort().Restrict(rules...)
}

// filterCalls makes every thread's system calls pass a list: what Go's runtime, the C library and the engines need to
// compute, with files what they need to use them, and with a spill what it takes to write to it. Any other call kills the
// process.
func filterCalls(files, spill bool) error {
	// no_new_privs is set for this thread and reaches the others with the filter.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	policy, err := callPolicy(files, spill)
	if err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	if err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: policy}); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	return nil
}

func callPolicy(files, spill bool) (seccomp.Policy, error) {
	machine, err := arch.GetInfo("")
	if err != nil {
		return seccomp.Policy{}, err
	}
	names := slices.Clone(computing)
	if files {
		names = append(names, usingFiles...)
	}
	conditions := slices.Concat(conditional(), withFiles(files))
	if spill {
		names = append(names, "fstatfs")
		conditions = append(conditions, when("pwrite64", equals(0, spillDescriptor)))
	}
	// Not every architecture has every call.
	names = slices.DeleteFunc(names, func(name string) bool {
		_, known := machine.SyscallNames[name]
		return !known
	})
	return seccomp.Policy{
		DefaultAction: seccomp.ActionKillProcess,
		Syscalls: []seccomp.SyscallGroup{
			{Action: seccomp.ActionAllow, Names: names, NamesWithCondtions: conditions},
			// Its flags are out of the filter's sight; C libraries fall back to clone.
			{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
		},
	}, nil
}

// computing are the calls that need no condition, on any architecture.
var computing = []string{
	// The conversation, on descriptors that are open.
	"read", "write", "readv", "writev", "pread64", "close", "fstat", "lseek",
	// Memory, machine code included.
	"mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "mincore", "membarrier",
	// Threads and their signals.
	"futex", "sched_yield", "sched_getaffinity", "getcpu", "set_robust_list", "rseq", "gettid", "getpid", "exit",
	"exit_group", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
	// Time and chance.
	"nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "getrandom", "sysinfo",
}

// usingFiles are those that an engine needs for its image and its scratch files, and that seal needs.
var usingFiles = []string{
	"open", "openat", "newfstatat", "fstatat", "statx", "fcntl", "getdents64", "mkdirat", "unlinkat", "rmdir", "renameat",
	"renameat2", "fsync", "readlinkat", "getrlimit", "seccomp",
}

// Namespaces that clone could enter: CLONE_NEWNS and its relatives.
const cloneNew = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
	unix.CLONE_NEWPID | unix.CLONE_NEWNET

// conditional are calls that are admitted with some arguments only.
func conditional() []seccomp.NameWithConditions {
	return []seccomp.NameWithConditions{
		// New threads, but no new processes.
		when("clone", seccomp.Condition{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD},
			seccomp.Condition{Argument: 0, Operation: seccomp.BitsNotSet, Value: cloneNew}),
		// Signals to itself: how Go preempts and how C aborts.
		when("tgkill", equals(0, uint64(os.Getpid()))),
		// Names of threads and of memory.
		when("prctl", equals(0, unix.PR_SET_NAME)),
		when("prctl", equals(0, unix.PR_SET_VMA)),
	}
}

func withFiles(files bool) []seccomp.NameWithConditions {
	if files {
		return []seccomp.NameWithConditions{
			when("prctl", equals(0, unix.PR_SET_NO_NEW_PRIVS)),
			when("prlimit64", equals(0, 0)), // of this process
		}
	}
	// Asking for a limit of this process.
	return []seccomp.NameWithConditions{when("prlimit64", equals(0, 0), equals(2, 0))}
}

func when(name string, conditions ...seccomp.Condition) seccomp.NameWithConditions {
	return seccomp.NameWithConditions{Name: name, Conditions: conditions}
}

func equals(argument uint32, value uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.Equal, Value: value}
}
