package confine

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// handDescriptor is a child's end of the socket over which it is handed open files: the image that it runs, so that the
// children of a node map the same bytes, and the memory in which it finds what it asks for of its inputs.
const handDescriptor = 3

// openHand makes the two ends of that socket.
func openHand() (ours, childs *os.File, err error) {
	syscall.ForkLock.RLock() // until no child inherits them by mistake
	defer syscall.ForkLock.RUnlock()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, descriptor := range pair {
		unix.CloseOnExec(descriptor)
	}
	return os.NewFile(uintptr(pair[0]), "hand"), os.NewFile(uintptr(pair[1]), "hand"), nil
}

// give hands a file to the other end. It does not wait until it is taken.
func give(hand, file *os.File) error {
	defer runtime.KeepAlive(hand)
	defer runtime.KeepAlive(file)
	err := unix.Sendmsg(int(hand.Fd()), []byte{0}, unix.UnixRights(int(file.Fd())), nil, 0)
	return os.NewSyscallError("sendmsg", err)
}

// inheritedHand is the end that this child was started with.
func inheritedHand() *os.File {
	unix.CloseOnExec(handDescriptor) // or closeInherited takes it for a mistake
	return os.NewFile(handDescriptor, "hand")
}

// take waits for the file that the other end gives.
func take(hand *os.File) (*os.File, error) {
	defer runtime.KeepAlive(hand)
	control := make([]byte, unix.CmsgSpace(4)) // one descriptor
	_, n, _, _, err := unix.Recvmsg(int(hand.Fd()), make([]byte, 1), control, 0)
	if err != nil {
		return nil, os.NewSyscallError("recvmsg", err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("%w: no file (%v)", errGarbage, err)
	}
	descriptors, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(descriptors) != 1 {
		return nil, fmt.Errorf("%w: no file (%v)", errGarbage, err)
	}
	unix.CloseOnExec(descriptors[0])
	return os.NewFile(uintptr(descriptors[0]), "handed"), nil
}
