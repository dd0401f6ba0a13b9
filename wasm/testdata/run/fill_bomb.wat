;; want: out of fuel (bulk work is paid for by size)
(module (memory (export "memory") 64) (func (export "_start") (local $i i32)
 (loop $l (memory.fill (i32.const 0) (local.get $i) (i32.const 4194304))
  (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l))))
