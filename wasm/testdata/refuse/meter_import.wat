;; want: no node offers
(module (import "bacalhau" "meter" (func (param i32))) (memory (export "memory") 1) (func (export "_start")))
