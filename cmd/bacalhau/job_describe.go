package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/protocol"
)

func newJobDescribeCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "describe JOB",
		Short:   "Show a job's pieces, executions, checks, payments and cost",
		Example: "  bacalhau job describe 0x3f2a91c0",
		Args:    takes("a job's id, or the beginning of one"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.describeJob(cmd.Context(), args[0]) },
	}
}

func (a *app) describeJob(ctx context.Context, text string) error {
	node, err := a.node()
	if err != nil {
		return err
	}
	id, err := findJob(ctx, node, text)
	if err != nil {
		return err
	}
	job, err := node.Job(ctx, id)
	if err != nil {
		return err
	}
	return a.print(job, func(w io.Writer) { printJob(w, job) })
}

func printJob(w io.Writer, j client.Job) {
	fmt.Fprintf(w, "job      %s\nstatus   %s\ncreated  %s\nmodule   %s\n", j.ID, j.Status, formatTime(j.Created), j.Module)
	if len(j.Args) > 0 {
		fmt.Fprintf(w, "args     %q\n", j.Args)
	}
	if j.Rejected != "" {
		fmt.Fprintf(w, "rejected %s\n", printable(j.Rejected))
	}
	if j.Result != "" {
		fmt.Fprintf(w, "result   %s\n", j.Result)
	}
	for _, trouble := range j.Trouble {
		fmt.Fprintf(w, "trying again: %s\n", printable(trouble))
	}
	printTerms(w, j.Terms)
	fmt.Fprintln(w, "\nPIECES")
	printPieces(w, j)
	printOffers(w, j)
	fmt.Fprintln(w, "\nEXECUTIONS")
	printExecutions(w, j)
	printDisputes(w, j)
	fmt.Fprintln(w, "\nPAYMENTS AND PENALTIES")
	printMoney(w, j)
	fmt.Fprintln(w, "\nCOST")
	printCost(w, j)
}

func printTerms(w io.Writer, t protocol.Terms) {
	price := "flat"
	if t.FuelPrice != nil && t.FuelPrice.Sign() > 0 {
		price = "at " + formatAmount(client.Wei{Int: t.FuelPrice}) + " per unit of fuel"
	}
	panel := "lazy"
	if t.Seats == 3 {
		panel = "eager"
	}
	fmt.Fprintf(w, "price    at most %s per piece, %s\n", formatAmount(client.Wei{Int: t.Bid}), price)
	fmt.Fprintf(w, "checks   %.1f %% of pieces, %s; fine %s, bond %s\n", float64(t.CheckRate)/655.36, panel,
		formatAmount(client.Wei{Int: t.Fine}), formatAmount(client.Wei{Int: t.Bond}))
}

// printPieces shows what became of each piece, and how it was paid for if its execution says so.
func printPieces(w io.Writer, j client.Job) {
	t := newTable("#", "NAME", "STATUS", "NODE", "CHECKED", "EXIT", "FUEL", "OUTPUT")
	for _, p := range j.PieceList {
		exit, fuel, checked := "-", "-", ""
		if p.Output != "" {
			exit, fuel = "0", formatCount(p.Fuel)
			if p.ExitCode != 0 {
				exit = exitReason(p.ExitCode)
			}
		}
		switch {
		case p.Disputed:
			checked = "disputed" // two nodes differ and no third one was to be had
		case p.Checked:
			checked = "yes"
		}
		t.row(number(p.Index), p.Name, p.Status, shortAddress(p.Node), orDash(checked), exit, fuel, orDash(p.Output))
	}
	t.write(w)
}

// printOffers shows what becomes of the offers for open pieces, if there are any.
func printOffers(w io.Writer, j client.Job) {
	t := newTable("OFFER BY", "PIECES", "GETS", "CAME", "UNTIL", "WHY")
	for _, o := range j.Offers {
		came, gets := "through the chain", "-"
		if o.Direct {
			came = "directly"
		}
		if o.Taken > 0 {
			gets = number(o.Taken)
		}
		t.row(shortAddress(o.Node), number(o.Pieces), gets, came, formatTime(o.Deadline), printable(o.Reason))
	}
	if len(t.rows) > 1 {
		fmt.Fprintln(w, "\nOFFERS")
		t.write(w)
	}
}

func printExecutions(w io.Writer, j client.Job) {
	t := newTable("EXECUTION", "NODE", "PIECES", "STATUS", "FUEL", "CHECKED", "PANEL", "OUTCOME")
	for _, e := range j.Executions {
		t.row(shortHash(e.ID), shortAddress(e.Node), pieceRange(e), executionStatus(e), formatCount(e.Fuel),
			orDash(joinIndexes(e.Checked)), orDash(panel(e.Seats)), outcome(e))
	}
	t.write(w)
}

func executionStatus(e client.ExecutionReport) string {
	switch {
	case e.Silent:
		return e.Status.String() + " (client silent)"
	case e.Declined:
		return e.Status.String() + " (declined)"
	}
	return e.Status.String()
}

// printDisputes shows what is or was fought over, if anything.
func printDisputes(w io.Writer, j client.Job) {
	t := newTable("EXECUTION", "DISPUTE", "JURY")
	for _, e := range j.Executions {
		if c := e.Challenge; c != nil {
			t.row(shortHash(e.ID), fmt.Sprintf("seat %d has to show its leaf of piece %d", c.Seat, c.Piece), "-")
		}
		if len(e.Opened) > 0 {
			t.row(shortHash(e.ID), "opened without the client by seat "+joinNumbers(e.Opened), "-")
		}
		if a := e.Appeal; a != nil {
			t.row(shortHash(e.ID), appealText(e), orDash(juryText(a.Jurors)))
		}
	}
	if len(t.rows) > 1 {
		fmt.Fprintln(w, "\nDISPUTES")
		t.write(w)
	}
}

func appealText(e client.ExecutionReport) string {
	text := fmt.Sprintf("seat %d appealed", e.Appeal.Seat)
	switch {
	case e.Appeal.Decided && len(e.Appeal.Right) == 0:
		return text + ": no seat was right"
	case e.Appeal.Decided:
		return text + ": right is seat " + joinNumbers(e.Appeal.Right)
	case e.Status == protocol.StatusRefunded:
		return text + ": no majority"
	}
	return text
}

func juryText(jurors []client.JurorReport) string {
	var parts []string
	for _, n := range jurors {
		vote := "no vote yet"
		if n.Vote != protocol.VoteStatusNone {
			vote = strings.ToLower(n.Vote.String())
		}
		parts = append(parts, fmt.Sprintf("%d:%s %s", n.Number, shortAddress(n.Node), vote))
	}
	return strings.Join(parts, ", ")
}

func joinNumbers(numbers []int) string {
	var parts []string
	for _, n := range numbers {
		parts = append(parts, strconv.Itoa(n))
	}
	return strings.Join(parts, ", ")
}

func pieceRange(e client.ExecutionReport) string {
	if e.Count <= 1 {
		return number(e.From)
	}
	return number(e.From) + "–" + number(e.From+e.Count-1)
}

// joinIndexes lists pieces, the first few if there are many.
func joinIndexes(indexes []uint32) string {
	const shown = 6
	var parts []string
	for _, i := range indexes[:min(shown, len(indexes))] {
		parts = append(parts, number(i))
	}
	if more := len(indexes) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("+%d", more))
	}
	return strings.Join(parts, " ")
}

// panel lists the verifiers' seats.
func panel(seats []protocol.Seat) string {
	var parts []string
	for _, s := range seats {
		if s.Status == protocol.SeatStatusDrawing {
			s.Node = common.Address{} // it has just failed to do its duty there
		}
		parts = append(parts, fmt.Sprintf("%d:%s %s", s.Number, shortAddress(s.Node), strings.ToLower(s.Status.String())))
	}
	return strings.Join(parts, ", ")
}

func outcome(e client.ExecutionReport) string {
	if e.Outcome == protocol.OutcomeNone {
		return "-"
	}
	return e.Outcome.String()
}

// printMoney shows who earned what, and whose money was burned.
func printMoney(w io.Writer, j client.Job) {
	t := newTable("EXECUTION", "WALLET", "SEAT", "AMOUNT", "WHAT")
	for _, e := range j.Executions {
		for _, p := range e.Payments {
			t.row(shortHash(e.ID), shortAddress(p.Node), seat(p.Seat), formatAmount(p.Wei), "paid")
		}
		for _, p := range e.Penalties {
			t.row(shortHash(e.ID), shortAddress(p.Wallet), seat(p.Seat), formatAmount(p.Wei), "burned: "+string(p.Kind))
		}
	}
	if len(t.rows) == 1 {
		fmt.Fprintln(w, "none yet")
		return
	}
	t.write(w)
}

func seat(number uint8) string {
	if number == 0 {
		return "client"
	}
	return strconv.Itoa(int(number))
}

// printCost sums a job up.
func printCost(w io.Writer, j client.Job) {
	c := j.Cost
	fmt.Fprintf(w, "paid     %s for work, %s for checks; %s of the client's bonds burned\n",
		formatAmount(c.Paid), formatAmount(c.PaidCheck), formatAmount(c.Burned))
	fmt.Fprintf(w, "fuel     %s executed for %s of one clean run: %s\n",
		formatCount(c.FuelExecuted), formatCount(c.FuelClean), formatRatio(c.FuelExecuted, c.FuelClean))
	if c.Gas == 0 {
		return
	}
	fmt.Fprintf(w, "gas      %s in all, %s per piece\n", formatCount(c.Gas), formatCount(uint64(c.GasPerPiece)))
	for _, t := range c.Transactions {
		fmt.Fprintf(w, "         %s × %s: %s gas\n", strconv.Itoa(t.Count), t.Call, formatCount(t.Gas))
	}
}
