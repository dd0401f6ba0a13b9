;; want: tail calls
(module (memory (export "memory") 1) (func $s (export "_start") (return_call $s)))
