;; want: start section
(module (memory (export "memory") 1) (func $s (export "_start")) (start $s))
