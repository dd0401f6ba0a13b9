package model

// Moves lists what could be tried: every kind of move, by whoever may make it, and every choice that it leaves.
func (g *Game) Moves(s State) []Move {
	moves := []Move{{Kind: Mine, By: Stranger}, {Kind: Wait, By: Stranger}}
	for _, kind := range []Kind{
		CreateJob, CloseJob, AcceptOffer, CloseReturned, Settle, Verify, Escalate, SettleVerified, RevealKey,
	} {
		moves = append(moves, Move{Kind: kind, By: Client})
	}
	for _, kind := range []Kind{
		CloseJob, CloseReturned, TimeoutAssigned, TimeoutCommitted, TimeoutVerdict, TimeoutSilent, TimeoutChallenged,
		DrawJury, TimeoutAppealed,
	} {
		moves = append(moves, Move{Kind: kind, By: Stranger})
	}
	moves = append(moves, Move{Kind: Decline, By: Node1, Seat: 1})
	for _, result := range Results {
		for _, hit := range []bool{false, true} {
			moves = append(moves, Move{Kind: CommitResult, By: Node1, Seat: 1, Result: result, Hit: hit})
		}
	}
	for number := uint8(1); number <= 3; number++ {
		moves = append(moves, g.seatMoves(s, number)...)
	}
	for number := uint8(4); number < 4+Jurors; number++ {
		moves = append(moves, g.jurorMoves(number)...)
	}
	return moves
}

func (g *Game) seatMoves(s State, number uint8) []Move {
	node := s.Seats[number-1].Node
	moves := []Move{
		{Kind: OpenSelf, By: node, Seat: number},
		{Kind: Appeal, By: node, Seat: number},
		{Kind: ChallengeLeaf, By: Client, Seat: number},
		{Kind: AnswerLeaf, By: node, Seat: number},
	}
	if number == 1 {
		return moves
	}
	for candidate := Node2; candidate <= Node5; candidate++ {
		if !s.seated(candidate) {
			moves = append(moves, Move{Kind: Draw, By: Stranger, Seat: number, Node: candidate})
		}
	}
	for _, result := range Results {
		moves = append(moves, Move{Kind: CommitVerification, By: node, Seat: number, Result: result})
	}
	return append(moves,
		Move{Kind: DeclineSeat, By: node, Seat: number},
		Move{Kind: TimeoutDrawing, By: Stranger, Seat: number},
		Move{Kind: TimeoutSeat, By: Stranger, Seat: number},
	)
}

func (g *Game) jurorMoves(number uint8) []Move {
	juror := Juror1 + Party(number-4)
	moves := []Move{
		{Kind: DeclineVote, By: juror, Seat: number},
		{Kind: RevealVote, By: juror, Seat: number},
	}
	for _, result := range g.Votes {
		moves = append(moves, Move{Kind: CommitVote, By: juror, Seat: number, Result: result})
	}
	return moves
}
