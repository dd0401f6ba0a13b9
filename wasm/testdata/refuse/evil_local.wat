;; want: not a valid WebAssembly 2.0 module (the local that caches the fuel)
(module (memory (export "memory") 1) (func (export "_start") (local.set 0 (i64.const 1000000))))
