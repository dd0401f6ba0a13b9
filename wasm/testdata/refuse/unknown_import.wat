;; want: no node offers
(module (import "env" "emscripten_sleep" (func (param i32))) (memory (export "memory") 1) (func (export "_start")))
