;; want: not a valid WebAssembly 2.0 module (the function that rewriting adds)
(module (memory (export "memory") 1) (func (export "_start") (call 1)))
