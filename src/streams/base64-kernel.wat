;; Decodes base64 sixteen characters at a time.
;;
;; A character's two halves look up, in tables of sixteen bytes, which classes it may belong to: where both agree on one, it is of
;; no alphabet (the padding is of none either). Its upper half also says what is to be added to make it a number below 64. Four such
;; numbers are shifted together into 24 bits, and their bytes put into order. The tables lie in memory rather than in the code, and
;; are loaded once: constants would be built anew in every turn of the loop, which takes three times as long.
;; The method: Wojciech Muła, Daniel Lemire, Faster Base64 Encoding and Decoding Using AVX2 Instructions, 2018.
;; The relaxed instructions spare V8 what it must do where an index is too large. What processors differ in does not occur: an index
;; is below 16 or has its highest bit set, and the numbers multiplied are below 64 (where they are not, the text is found to be wrong).
(module
  (import "kernel" "output" (memory $output 1 65536))
  (import "kernel" "text" (memory $texts 1 65536))
  (data (i32.const 0)
    "\15\11\11\11\11\11\11\11\11\11\13\1a\1b\1b\1b\1a"   ;; classes by the lower half
    "\10\10\01\02\04\08\04\08\10\10\10\10\10\10\10\10"   ;; classes by the upper half
    "\00\10\13\04\bf\bf\b9\b9\00\00\00\00\00\00\00\00"   ;; what to add, by the upper half; 1 is for the slash
    "\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f"   ;; half a byte
    "\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f"   ;; slashes
    "\40\01\40\01\40\01\40\01\40\01\40\01\40\01\40\01"   ;; the first number of each pair up by 6 bits, the second as it is
    "\00\10\01\00\00\10\01\00\00\10\01\00\00\10\01\00"   ;; the first pair up by 12 bits, the second as it is
    "\02\01\00\06\05\04\0a\09\08\0e\0d\0c\80\80\80\80")  ;; three bytes of each four, the highest first

  ;; Decodes the characters `from … end`, a multiple of sixteen, to `to`, where four bytes more than come of them are written.
  ;; Returns 0 where all of them are of the standard alphabet.
  (func (export "decode") (param $from i32) (param $end i32) (param $to i32) (result i32)
    (local $lower v128) (local $upper v128) (local $shift v128) (local $half v128)
    (local $slash v128) (local $pair v128) (local $join v128) (local $order v128)
    (local $text v128) (local $high v128) (local $wrong v128)
    (local.set $lower (v128.load $output offset=0 (i32.const 0)))
    (local.set $upper (v128.load $output offset=16 (i32.const 0)))
    (local.set $shift (v128.load $output offset=32 (i32.const 0)))
    (local.set $half (v128.load $output offset=48 (i32.const 0)))
    (local.set $slash (v128.load $output offset=64 (i32.const 0)))
    (local.set $pair (v128.load $output offset=80 (i32.const 0)))
    (local.set $join (v128.load $output offset=96 (i32.const 0)))
    (local.set $order (v128.load $output offset=112 (i32.const 0)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $text (v128.load $texts align=1 (local.get $from)))
        (local.set $high (v128.and (i32x4.shr_u (local.get $text) (i32.const 4)) (local.get $half)))
        (local.set $wrong (v128.or (local.get $wrong) (v128.and
          (i8x16.relaxed_swizzle (local.get $lower) (v128.and (local.get $text) (local.get $half)))
          (i8x16.relaxed_swizzle (local.get $upper) (local.get $high)))))
        (local.set $text (i8x16.add (local.get $text)
          (i8x16.relaxed_swizzle (local.get $shift) (i8x16.add (local.get $high) (i8x16.eq (local.get $text) (local.get $slash))))))
        (local.set $text (i32x4.dot_i16x8_s
          (i16x8.relaxed_dot_i8x16_i7x16_s (local.get $pair) (local.get $text))
          (local.get $join)))
        (v128.store $output align=1 (local.get $to) (i8x16.relaxed_swizzle (local.get $text) (local.get $order)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 12)))
        (br $next)))
    (v128.any_true (local.get $wrong))))
