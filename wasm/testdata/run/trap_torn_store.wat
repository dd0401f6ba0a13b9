;; want: trap (a store across the end of memory may be torn by the processor)
(module (memory (export "memory") 1) (func (export "_start")
 (i64.store (i32.const 65528) (i64.const -1)) (i64.store (i32.const 65532) (i64.const 0x1111111111111111))))
