package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// ask gets from the person at the terminal, if there is one, what a node cannot do without and no layer has said.
func (o *initOptions) ask() error {
	f, ok := o.app.terminal()
	if !ok {
		return nil
	}
	in := bufio.NewReader(f)
	if o.chain == "" {
		question := fmt.Sprintf("Chain (%s, or the URL of a JSON-RPC endpoint): ", strings.Join(chainNames(), ", "))
		if err := o.answer(in, "chain", question); err != nil {
			return err
		}
	}
	if !o.compute && !o.requester && o.chain != embeddedChain {
		if err := o.answer(in, "compute", "Be a compute node, which runs work for pay (true or false): "); err != nil {
			return err
		}
		if err := o.answer(in, "requester", "Be a requester node, which has work run (true or false): "); err != nil {
			return err
		}
	}
	if o.flags.Lookup("contract").Value.String() == "" && o.chain != embeddedChain {
		if err := o.answer(in, "contract", "Address of the market's contract: "); err != nil {
			return err
		}
	}
	if o.compute && o.announce == "" && o.origin["listen"] == originDefault && !o.allowPrivate && o.chain != embeddedChain {
		if err := o.answer(in, "listen", "Address to serve data on, such as 0.0.0.0:4242: "); err != nil {
			return err
		}
		return o.answer(in, "announce", "URL at which others reach it, such as http://node.example.org:4242: ")
	}
	return nil
}

// answer asks until the answer is a value of the setting.
func (o *initOptions) answer(in *bufio.Reader, name, question string) error {
	for {
		fmt.Fprint(o.app.stderr, question)
		line, err := in.ReadString('\n')
		if err != nil {
			return fmt.Errorf("no answer for %s: %w", name, err)
		}
		if err = o.set(o.flags.Lookup(name), strings.TrimSpace(line), "terminal"); err == nil {
			return nil
		}
		fmt.Fprintln(o.app.stderr, err)
	}
}

// chooseSecret asks twice.
func (a *app) chooseSecret(f *os.File, prompt string) (string, error) {
	for {
		first, err := a.askSecret(f, prompt)
		if err != nil || first == "" {
			return first, err
		}
		second, err := a.askSecret(f, "The same again: ")
		if err != nil || first == second {
			return first, err
		}
		fmt.Fprintln(a.stderr, "these differ")
	}
}
