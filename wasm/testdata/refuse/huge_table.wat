;; want: a table of 10000000 elements
(module (memory (export "memory") 1) (table 10000000 funcref) (func (export "_start")))
