package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/term"
)

// question asks for what a node cannot do without and no layer has said.
type question struct {
	text   string
	preset string // the answer that an empty line stands for; "" if there is none
	take   func(answer string) error
}

// ask puts questions to the person at the terminal, if there is one.
func (o *initOptions) ask(ctx context.Context) error {
	f, ok := o.app.terminal()
	if !ok {
		return nil
	}
	in := bufio.NewReader(f)
	if o.chain == "" {
		text := fmt.Sprintf("Chain (%s, or the URL of a JSON-RPC endpoint)", strings.Join(chainNames(), ", "))
		if err := o.app.put(ctx, f, in, question{text, "", o.taker("chain", o.checkChain)}); err != nil {
			return err
		}
	}
	if o.chain == embeddedChain {
		return nil
	}
	var questions []question
	if !o.compute && !o.requester {
		questions = append(questions, question{
			"What the node is: compute (runs work for pay), requester (has work run), or both", "compute", o.takeRole})
	}
	if o.contract == (common.Address{}) {
		questions = append(questions, question{"Address of the market's contract", "", o.taker("contract", o.checkContract)})
	}
	if o.announce == "" && !o.allowPrivate && !onThisMachine(o.chain) {
		if o.origin["listen"] == originDefault {
			questions = append(questions, question{"Address to serve data on", "0.0.0.0:4242",
				o.taker("listen", func() error { return checkAddress("listen", o.listen) })})
		}
		questions = append(questions, question{
			"URL at which others reach it, such as http://node.example.org:4242", "", o.taker("announce", o.checkReach)})
	}
	for _, q := range questions {
		if err := o.app.put(ctx, f, in, q); err != nil {
			return err
		}
	}
	return nil
}

// taker sets a setting to an answer and checks it.
func (o *initOptions) taker(name string, check func() error) func(string) error {
	return func(answer string) error {
		flag := o.flags.Lookup(name)
		if err := flag.Value.Set(answer); err != nil {
			return err
		}
		o.origin[name] = "terminal"
		return check()
	}
}

func (o *initOptions) takeRole(answer string) error {
	o.compute, o.requester = answer == "compute" || answer == "both", answer == "requester" || answer == "both"
	if !o.compute && !o.requester {
		return fmt.Errorf("%q is none of compute, requester, both", answer)
	}
	return nil
}

// put asks until the answer is a good one.
func (a *app) put(ctx context.Context, f *os.File, in *bufio.Reader, q question) error {
	prompt := q.text
	if q.preset != "" {
		prompt += " [" + q.preset + "]"
	}
	for {
		fmt.Fprint(a.stderr, prompt+": ")
		line, err := a.read(ctx, f, func() (string, error) { return in.ReadString('\n') })
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(a.stderr)
			return errors.New("the input ended before all questions were answered: nothing was made; flags answer them too, see `bacalhau init --help`")
		}
		if err != nil {
			return err
		}
		if err = q.take(cmp.Or(strings.TrimSpace(line), q.preset)); err == nil {
			return nil
		}
		fmt.Fprintln(a.stderr, err)
	}
}

// read waits for the person at the terminal until ctx ends, and leaves the terminal as it was. A read that nobody answers
// ends with the process.
func (a *app) read(ctx context.Context, f *os.File, read func() (string, error)) (string, error) {
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", err
	}
	type answer struct {
		text string
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := read()
		answered <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
		return "", errors.Join(errInterrupted, term.Restore(int(f.Fd()), before))
	case got := <-answered:
		return got.text, got.err
	}
}

// chooseSecret asks twice.
func (a *app) chooseSecret(ctx context.Context, f *os.File, prompt string) (string, error) {
	for {
		first, err := a.askSecret(ctx, f, prompt)
		if err != nil || first == "" {
			return first, err
		}
		second, err := a.askSecret(ctx, f, "The same again: ")
		if err != nil || first == second {
			return first, err
		}
		fmt.Fprintln(a.stderr, "these differ")
	}
}

// askSecret asks for what is not shown.
func (a *app) askSecret(ctx context.Context, f *os.File, prompt string) (string, error) {
	fmt.Fprint(a.stderr, prompt)
	secret, err := a.read(ctx, f, func() (string, error) {
		raw, err := term.ReadPassword(int(f.Fd()))
		return string(raw), err
	})
	if err == nil {
		fmt.Fprintln(a.stderr)
	}
	return secret, err
}
