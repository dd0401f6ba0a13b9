;; want: trap
(module (memory (export "memory") 1) (func (export "_start") (i32.store (i32.const 100) (i32.const 5)) unreachable))
