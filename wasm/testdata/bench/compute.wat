;; A xorshift-like mix over 64 KiB of memory, and a sum of floats.
(module (memory (export "memory") 1)
 (func $mix (param $n i32) (local $i i32) (local $a i32)
  (local.set $a (i32.const 1))
  (loop $l
   (local.set $a (i32.mul (i32.xor (i32.rotl (local.get $a) (i32.const 5)) (i32.load (i32.and (local.get $i) (i32.const 0xfffc)))) (i32.const 0x9e3779b1)))
   (i32.store (i32.and (local.get $a) (i32.const 0xfffc)) (local.get $a))
   (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $n)))))
 (func $sum (param $n i32) (local $s f64)
  (loop $l
   (local.set $s (f64.add (f64.mul (local.get $s) (f64.const 0.5)) (f64.convert_i32_s (local.get $n))))
   (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
  (f64.store (i32.const 0) (local.get $s)))
 (func (export "_start") (call $mix (i32.const 40000000)) (call $sum (i32.const 5000000))))
