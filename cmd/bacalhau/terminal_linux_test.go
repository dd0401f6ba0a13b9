package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Keys of a terminal, as it sends them.
const (
	ctrlC = "\x03"
	ctrlD = "\x04" // at the beginning of a line: the end of the input
	enter = "\n"
)

// exchange is something that the program says on a terminal, and what a person types then.
type exchange struct{ says, typed string }

// converse runs a command on a terminal and returns all that was shown there, and the exit code. The program has to say
// everything that is waited for, in this order.
func converse(t *testing.T, cmd *exec.Cmd, talk ...exchange) (shown string, code int) {
	t.Helper()
	terminal, mine := openTerminal(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = mine, mine, mine
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	mine.Close() // so that reading ends with the command
	seen := 0
	buffer := make([]byte, 4096)
	for {
		if len(talk) > 0 {
			if at := strings.Index(shown[seen:], talk[0].says); at >= 0 {
				seen += at + len(talk[0].says)
				if _, err := terminal.WriteString(talk[0].typed); err != nil {
					t.Fatal(err)
				}
				talk = talk[1:]
				continue
			}
		}
		n, err := terminal.Read(buffer)
		shown += string(buffer[:n])
		if err != nil {
			break // EIO: the command has closed it
		}
	}
	cmd.Wait()
	if len(talk) > 0 {
		t.Errorf("%q was not said; the terminal shows\n%s", talk[0].says, shown)
	}
	return shown, cmd.ProcessState.ExitCode()
}

// openTerminal makes a pseudoterminal: the side of the person, and that of the program.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}
