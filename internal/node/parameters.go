package node

import (
	"math/big"

	"github.com/filecoin-project/bacalhau/protocol"
)

// Ether is one whole token of the chain, wei.
var ether = big.NewInt(1e18)

// DevelopmentParameters are those of a development network: windows short enough to watch.
func DevelopmentParameters() protocol.Parameters {
	return protocol.Parameters{
		MinStake:         new(big.Int).Set(ether),
		MinDeposit:       big.NewInt(1e15),
		NoShowFee:        big.NewInt(1e13),
		SettleWindow:     20,
		DrawWindow:       20,
		SilentWindow:     20,
		AppealWindow:     20,
		MinExecuteWindow: 10,
		Confirmations:    1,
		Redraws:          2,
		MaxPieces:        1000,
		MinCheckRate:     655, // 1 %, as CheckRate rounds it
		DeclinesPerDay:   100,
		ChallengePrice:   big.NewInt(1e12),
		JurySize:         5,
	}
}

// PublicParameters are those for a network of strangers: everybody has a day for what they may have to do, and what costs
// gas on Filecoin is paid for.
func PublicParameters() protocol.Parameters {
	const hour, day = 3600, 24 * 3600
	return protocol.Parameters{
		MinStake:         new(big.Int).Mul(ether, big.NewInt(100)),
		MinDeposit:       new(big.Int).Div(ether, big.NewInt(10)),
		NoShowFee:        new(big.Int).Div(ether, big.NewInt(10)),
		SettleWindow:     day,
		DrawWindow:       hour,
		SilentWindow:     day,
		AppealWindow:     day,
		MinExecuteWindow: hour / 2,
		Confirmations:    10,
		Redraws:          2,
		MaxPieces:        1000,
		MinCheckRate:     655, // 1 %, as CheckRate rounds it
		DeclinesPerDay:   5,
		ChallengePrice:   new(big.Int).Div(ether, big.NewInt(20)),
		JurySize:         5,
	}
}

// Defaults of a job that does not say otherwise.
const (
	defaultMemoryBytes = 1 << 30
	defaultFuel        = 1_000_000_000_000 // a minute of one core, or more
	defaultOutputBytes = 64 << 20
	defaultFuelPrice   = 100 // wei
	defaultCheckRate   = 0.03
	defaultColluding   = 0.2
)
