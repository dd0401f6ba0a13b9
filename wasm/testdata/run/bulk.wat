;; want: exit 0
(module (memory (export "memory") 2) (data $d "deterministic") (data (i32.const 32) "active")
 (func (export "_start")
  (memory.init $d (i32.const 0) (i32.const 0) (i32.const 13)) (data.drop $d)
  (memory.copy (i32.const 5) (i32.const 0) (i32.const 38))
  (memory.fill (i32.const 70000) (i32.const 7) (i32.const 1000))))
