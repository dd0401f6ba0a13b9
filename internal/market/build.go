package market

// Build is the contract as it was compiled: creation codes in hex, without the constructors' arguments. Together with
// Creation it deploys a market on a chain that is not reached by transactions.
type Build struct {
	Verifications, Disputes, Appeals string
	Market                           string
}

// Compiled is the build that Deploy sends.
func Compiled() Build {
	return Build{Verifications: verificationsHex, Disputes: disputesHex, Appeals: appealsHex, Market: marketHex}
}
