;; want: trap (wrong type in the table)
(module (memory (export "memory") 1) (table 2 funcref) (elem (i32.const 0) $f) (type $t (func (param i64)))
 (func $f) (func (export "_start") (call_indirect (type $t) (i64.const 1) (i32.const 0))))
