;; want: out of fuel
(module (memory (export "memory") 1) (table 1 funcref)
  ;; Grows to the limit, then fills the whole table again and again.
  (func (export "_start")
    (drop (table.grow 0 (ref.null func) (i32.const 0xfffff)))
    (loop (table.fill 0 (i32.const 0) (ref.null func) (table.size 0)) (br 0))))
