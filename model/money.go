package model

import "fmt"

func (p *play) lock(who Party, amount Wei) {
	w := &p.Wallets[who]
	if w.Free < amount {
		p.refused = append(p.refused, "InsufficientFree")
		return
	}
	w.Free -= amount
	w.Locked += amount
}

// release takes an amount out of a wallet's locks and makes a part of it, or more, free. What leaves one wallet must
// enter another one or be burned.
func (p *play) release(who Party, locked, free Wei) {
	w := &p.Wallets[who]
	if w.Locked < locked || free < 0 {
		panic(fmt.Sprintf("%v has %d locked, to release %d as %d: %v", who, w.Locked, locked, free, p.move))
	}
	w.Locked -= locked
	w.Free += free
}

// pay moves locked money of one wallet into another one.
func (p *play) pay(from, to Party, amount Wei) {
	p.release(from, amount, 0)
	p.Wallets[to].Free += amount
}

// giveBack makes locked money free again.
func (p *play) giveBack(who Party, amount Wei) { p.release(who, amount, amount) }

func (p *play) burn(who Party, amount Wei) {
	p.release(who, amount, 0)
	p.Burned += amount
}

// burnBond burns the client's bond, all or nothing: of pieces that are all hit or none, the share of wrong ones is either.
func (p *play) burnBond(yes bool) {
	if !yes {
		p.giveBack(Client, p.g.Bond)
		return
	}
	p.burn(Client, p.g.Bond)
	p.emit("BondBurned")
}

// burnNoShow takes the fee for a missed deadline from a node and gives it the rest of its fine back.
func (p *play) burnNoShow(who Party) {
	p.burn(who, p.g.NoShowFee)
	p.giveBack(who, p.g.Fine-p.g.NoShowFee)
	p.emit("NoShowBurned")
}

func (p *play) slash(who Party) {
	p.burn(who, p.g.Fine)
	p.emit("Slashed")
}

// payFirst gives seat 1 its fine and its pay, and the client the rest of the bids.
func (p *play) payFirst() {
	due := p.g.firstPay(p.Seats[0].Result)
	p.giveBack(Node1, p.g.Fine)
	p.pay(Client, Node1, due)
	p.giveBack(Client, p.g.escrow()-due)
	p.emit("ExecutionSettled")
}

// payVerifier does the same for seat 2 or 3.
func (p *play) payVerifier(number uint8) {
	seat := p.Seats[number-1]
	due := p.g.verifierPay(number, seat.Result)
	p.giveBack(seat.Node, p.g.Fine)
	p.pay(Client, seat.Node, due)
	p.giveBack(Client, p.g.aside(number)-due)
	p.emit("SeatPaid")
}
