// Package examples carries a public-domain data set and the example programs, ready to run.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed data/kjv/*.txt
var data embed.FS

// Wordcount is wordcount/wordcount.c as a WASI preview1 command.
//
//go:embed wordcount/wordcount.wasm
var Wordcount []byte

// Concordance is the Go program in concordance/ as a WASI preview1 command.
//
//go:embed concordance/concordance.wasm
var Concordance []byte

// KJV returns the King James Bible: 66 files, one book each, named in order from
// 01-genesis.txt to 66-revelation.txt, with one verse per line.
func KJV() fs.FS {
	books, err := fs.Sub(data, "data/kjv")
	if err != nil {
		panic(err) // only an invalid path, and this one is a constant
	}
	return books
}
