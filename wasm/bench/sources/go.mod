// Module sources pins the libraries in C that the benchmark compiles. They stay out of the project's own module.
module github.com/filecoin-project/bacalhau/wasm/bench/sources

go 1.26.0

require (
	github.com/DataDog/zstd v1.5.7
	github.com/mattn/go-sqlite3 v1.14.53
)
