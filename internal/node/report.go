package node

import (
	"context"
	"math/big"
	"slices"
	"sort"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/filecoin-project/bacalhau/client"
	"github.com/filecoin-project/bacalhau/data"
	"github.com/filecoin-project/bacalhau/internal/agent"
	"github.com/filecoin-project/bacalhau/internal/store"
	"github.com/filecoin-project/bacalhau/protocol"
	"github.com/filecoin-project/bacalhau/protocol/plan"
)

// summary describes a job; v may not have it yet.
func summary(v *protocol.View, f agent.JobFile) client.JobSummary {
	s := client.JobSummary{
		ID: f.Job.ID, Created: time.Unix(f.Job.Created, 0).UTC(), Pieces: f.Job.Terms.Pieces,
		Delivered: uint32(len(f.Delivered)), Rejected: f.Job.Rejected, Status: jobStatus(v, f),
	}
	if f.Document != nil {
		s.Module = f.Document.Spec.Module
	}
	if f.Job.Result != (common.Hash{}) {
		s.Result = data.FromDigest(f.Job.Result).String()
	}
	if j := v.Jobs[f.Job.ID]; j != nil {
		for _, id := range j.Runs {
			if r := v.Runs[id]; r.Record.Status != protocol.StatusAssigned && r.Record.Status != protocol.StatusReturned {
				s.Committed += r.Count
			}
		}
	}
	return s
}

func jobStatus(v *protocol.View, f agent.JobFile) client.JobStatus {
	j := v.Jobs[f.Job.ID]
	switch {
	case f.Job.Rejected != "":
		return client.JobRejected
	case f.Job.Done && uint32(len(f.Delivered)) == f.Job.Terms.Pieces:
		return client.JobDone
	case f.Job.Done && f.Job.Cancelled:
		return client.JobCancelled
	case f.Job.Done:
		return client.JobFailed
	case j == nil:
		return client.JobSubmitting
	case len(j.Runs) == 0:
		return client.JobWaiting
	}
	return client.JobRunning
}

// offerReports says what the requester makes of the offers for a job.
func offerReports(choices []plan.Choice) []client.OfferReport {
	var list []client.OfferReport
	for _, c := range choices {
		list = append(list, client.OfferReport{
			Node: c.Offer.Node, Pieces: c.Offer.Pieces, Nonce: c.Offer.Nonce, Direct: c.Direct, Taken: c.Pieces,
			Deadline: time.Unix(int64(min(c.Offer.Deadline, 1<<40)), 0).UTC(), Reason: c.String(),
		})
	}
	return list
}

// report describes a job in full, but for its transactions.
func report(v *protocol.View, f agent.JobFile, settleWindow uint32) client.Job {
	job := client.Job{JobSummary: summary(v, f), Terms: f.Job.Terms}
	names := make([]string, f.Job.Terms.Pieces)
	if f.Document != nil {
		job.Args = f.Document.Spec.Args
		for i, p := range f.Document.Pieces {
			names[i] = p.Name
		}
	}
	job.PieceList = make([]client.PieceReport, f.Job.Terms.Pieces)
	for i := range job.PieceList {
		job.PieceList[i] = client.PieceReport{Index: uint32(i), Name: names[i], Status: "open"}
	}
	if j := v.Jobs[f.Job.ID]; j != nil {
		if j.Closed {
			for i := j.Frontier; i < j.Terms.Pieces; i++ {
				job.PieceList[i].Status = "closed"
			}
		}
		for _, id := range j.Runs {
			reportRun(&job, v.Runs[id], j.Terms, v.Runs[id].Status(j.Terms, settleWindow, v.Head.Time))
		}
	}
	for _, d := range f.Delivered {
		p := &job.PieceList[d.Piece]
		p.Status, p.Node, p.ExitCode, p.Fuel = "delivered", d.Node, d.Result.ExitCode, d.Result.Fuel
		p.Output, p.Disputed = data.FromDigest(d.Output).String(), d.Disputed
	}
	job.Cost = cost(job, f.Delivered)
	for action, err := range f.Trouble {
		job.Trouble = append(job.Trouble, action+": "+err.Error())
	}
	sort.Strings(job.Trouble)
	return job
}

// reportRun adds an execution and what it means for its pieces.
func reportRun(job *client.Job, r *protocol.Run, t protocol.Terms, status protocol.Status) {
	x := client.ExecutionReport{
		ID: r.Record.ID, Node: r.Node, From: r.From, Count: r.Count, Status: status, Deadline: r.Record.Deadline,
		Fuel: r.Record.Fuel, Silent: r.Silent,
		Declined: r.Declined, Appeal: appealOf(r),
	}
	for seat := range r.Openings {
		x.Opened = append(x.Opened, int(seat))
	}
	slices.Sort(x.Opened)
	if r.Challenge != nil {
		x.Challenge = &client.ChallengeReport{Seat: r.Challenge.Seat, Piece: r.Challenge.Piece}
	}
	if r.Done() {
		x.Deadline = 0
	}
	if r.Verification != nil {
		x.Outcome = r.Verification.Outcome
		for _, k := range protocol.Offsets(r.Verification.Listed) {
			x.Checked = append(x.Checked, r.From+k)
		}
		x.Seats = r.Panel(t)
	}
	for _, p := range r.Payments {
		x.Payments = append(x.Payments, client.Payment{Seat: p.Seat, Node: p.Node, Wei: client.Wei{Int: p.Wei}})
	}
	for _, p := range r.Penalties {
		x.Penalties = append(x.Penalties, client.Penalty{
			Kind: p.Kind, Seat: p.Seat, Wallet: p.Wallet, Wei: client.Wei{Int: p.Wei},
		})
	}
	job.Executions = append(job.Executions, x)
	for i := r.From; i < r.From+r.Count; i++ {
		p := &job.PieceList[i]
		p.Status, p.Node, p.Execution = x.Status.String(), r.Node, r.Record.ID
		p.Checked = slices.Contains(x.Checked, i)
		if r.Record.Status == protocol.StatusReturned {
			p.Status, p.Node = "open", common.Address{}
		}
	}
}

// appealOf describes an appeal, if there is one.
func appealOf(r *protocol.Run) *client.AppealReport {
	if r.Appeal == nil {
		return nil
	}
	a := &client.AppealReport{Seat: r.Appeal.Record.Appellant}
	for i, juror := range r.Appeal.Record.Jurors {
		number := protocol.FirstJuror + uint8(i)
		a.Jurors = append(a.Jurors, client.JurorReport{Number: number, Node: juror, Vote: r.Appeal.Votes[number].Status})
	}
	if d := r.Appeal.Decision; d != nil && d.Result != (common.Hash{}) {
		a.Decided = true
		for seat := 1; seat <= 3; seat++ {
			if d.Right&(1<<seat) != 0 {
				a.Right = append(a.Right, seat)
			}
		}
	}
	return a
}

// paidByClient says whether a payment came from the client: a juror's comes from the appellant if that was wrong.
func paidByClient(x client.ExecutionReport, p client.Payment) bool {
	return p.Seat < protocol.FirstJuror || x.Appeal != nil && slices.Contains(x.Appeal.Right, int(x.Appeal.Seat))
}

// cost adds up what was paid and burned, and the fuel that was paid for against one run of what was delivered.
func cost(job client.Job, delivered []store.Delivered) client.Cost {
	paid, checks, burned := new(big.Int), new(big.Int), new(big.Int)
	c := client.Cost{}
	for _, x := range job.Executions {
		earned := map[uint8]bool{}
		for _, p := range x.Payments {
			earned[p.Seat] = true
			switch {
			case p.Seat == 1:
				paid.Add(paid, p.Wei.Int)
			case paidByClient(x, p):
				checks.Add(checks, p.Wei.Int)
			}
		}
		for _, p := range x.Penalties {
			if p.Kind == protocol.PenaltyBond {
				burned.Add(burned, p.Wei.Int)
			}
		}
		if earned[1] {
			c.FuelExecuted += x.Fuel
		}
		for _, s := range x.Seats {
			if earned[s.Number] {
				c.FuelExecuted += s.Fuel
			}
		}
	}
	for _, d := range delivered {
		c.FuelClean += d.Result.Fuel
	}
	c.Paid, c.PaidCheck, c.Burned = client.Wei{Int: paid}, client.Wei{Int: checks}, client.Wei{Int: burned}
	return c
}

// withGas adds the job's transactions to a report.
func (n *Node) withGas(ctx context.Context, job *client.Job) error {
	costs, err := n.transactions(ctx, job.ID)
	if err != nil {
		return err
	}
	job.Cost.Transactions = costs
	for _, c := range costs {
		job.Cost.Gas += c.Gas
	}
	job.Cost.GasPerPiece = float64(job.Cost.Gas) / float64(job.Pieces)
	return nil
}
