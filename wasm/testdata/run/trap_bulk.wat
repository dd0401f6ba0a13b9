;; want: trap (out of bounds: nothing is written)
(module (memory (export "memory") 1) (func (export "_start") (memory.fill (i32.const 65000) (i32.const 7) (i32.const 1000))))
