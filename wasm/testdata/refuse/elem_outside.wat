;; want: element segment lies outside
(module (memory (export "memory") 1) (table 1 funcref) (elem (i32.const 1) $s) (func $s (export "_start")))
