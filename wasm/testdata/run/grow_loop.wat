;; want: out of fuel
(module (memory (export "memory") 1)
  ;; Asks for no page, one page, and more than there can be, for ever.
  (func (export "_start")
    (loop
      (drop (memory.grow (i32.const 0)))
      (drop (memory.grow (i32.const 1)))
      (drop (memory.grow (i32.const -1)))
      (br 0))))
