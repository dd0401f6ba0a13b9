package market

// Build is the contract as it was compiled: creation codes in hex, without the constructors' arguments. Together with
// Creation it deploys a market on a chain that is not reached by transactions.
type Build struct {
	// Parts are the codes that a market runs besides its own, in the order in which it takes their addresses.
	Parts  []Part
	Market string
}

// Part is one contract's creation code.
type Part struct{ Name, Hex string }

// Compiled is the build that Deploy sends.
func Compiled() Build {
	return Build{
		Parts: []Part{
			{"Accounts", accountsHex}, {"Verifications", verificationsHex}, {"Disputes", disputesHex}, {"Appeals", appealsHex},
		},
		Market: marketHex,
	}
}
