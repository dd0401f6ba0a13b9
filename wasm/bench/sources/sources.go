// Package sources keeps in its module what it imports: the benchmark compiles the C files in there.
package sources

import (
	_ "github.com/DataDog/zstd"
	_ "github.com/mattn/go-sqlite3"
)
