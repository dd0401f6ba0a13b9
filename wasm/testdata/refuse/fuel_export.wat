;; want: a name that the metering uses
(module (memory (export "memory") 1) (global (export "bacalhau.fuel") (mut i64) (i64.const 0)) (func (export "_start")))
