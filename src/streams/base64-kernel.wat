;; Base64, sixteen characters at a time: what they say, and what says so.
;;
;; To decode: a character's two halves look up, in tables of sixteen bytes, which classes it may belong to: where both agree on one,
;; it is of no alphabet (the padding is of none either). Its upper half also says what is to be added to make it a number below 64.
;; Four such numbers are shifted together into 24 bits, and their bytes put into order.
;; To encode: three bytes are laid out twice as far, two to a half of four, so that multiplying and masking moves their four numbers
;; to a byte each: first and third go down, second and fourth up. A number's class looks up what is to be added to make it a character.
;;
;; The tables lie in memory rather than in the code, and are loaded once: constants would be built anew in every turn of the loop,
;; which takes three times as long.
;; The method: Wojciech Muła, Daniel Lemire, Faster Base64 Encoding and Decoding Using AVX2 Instructions, 2018.
;; The relaxed instructions spare V8 what it must do where an index is too large or a product overflows. What processors differ in
;; does not occur: an index is below 16 or has its highest bit set, the numbers multiplied to be decoded are below 64 (where they are
;; not, the text is found to be wrong), and those multiplied to be encoded are below 2^15.
(module
  (import "kernel" "bytes" (memory $bytes 1 65536))
  (import "kernel" "text" (memory $texts 1 65536))
  (data (i32.const 0)
    "\15\11\11\11\11\11\11\11\11\11\13\1a\1b\1b\1b\1a"   ;; classes by the lower half
    "\10\10\01\02\04\08\04\08\10\10\10\10\10\10\10\10"   ;; classes by the upper half
    "\00\10\13\04\bf\bf\b9\b9\00\00\00\00\00\00\00\00"   ;; what to add, by the upper half; 1 is for the slash
    "\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f\0f"   ;; half a byte
    "\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f\2f"   ;; slashes
    "\40\01\40\01\40\01\40\01\40\01\40\01\40\01\40\01"   ;; the first number of each pair up by 6 bits, the second as it is
    "\00\10\01\00\00\10\01\00\00\10\01\00\00\10\01\00"   ;; the first pair up by 12 bits, the second as it is
    "\02\01\00\06\05\04\0a\09\08\0e\0d\0c\80\80\80\80"   ;; three bytes of each four, the highest first
    "\01\00\02\01\04\03\05\04\07\06\08\07\0a\09\0b\0a"   ;; the second, first, third and second byte of each three
    "\00\7e\e0\07\00\7e\e0\07\00\7e\e0\07\00\7e\e0\07"   ;; where first and third number are, down by a bit
    "\40\00\00\04\40\00\00\04\40\00\00\04\40\00\00\04"   ;; the first down by 9 bits, the third by 5
    "\f0\03\3f\00\f0\03\3f\00\f0\03\3f\00\f0\03\3f\00"   ;; where second and fourth number are
    "\10\00\00\01\10\00\00\01\10\00\00\01\10\00\00\01"   ;; the second up by 4 bits, the fourth by 8
    "\19\19\19\19\19\19\19\19\19\19\19\19\19\19\19\19"   ;; the last of the capitals
    "\33\33\33\33\33\33\33\33\33\33\33\33\33\33\33\33"   ;; the last of the letters
    "\41\47\fc\fc\fc\fc\fc\fc\fc\fc\fc\fc\ed\f0\00\00") ;; what to add: to capitals, to other letters, to each digit, to plus and slash

  ;; Decodes the characters `from … end`, a multiple of sixteen, to `to`, where four bytes more than come of them are written.
  ;; Returns 0 where all of them are of the standard alphabet.
  (func (export "decode") (param $from i32) (param $end i32) (param $to i32) (result i32)
    (local $lower v128) (local $upper v128) (local $shift v128) (local $half v128)
    (local $slash v128) (local $pair v128) (local $join v128) (local $order v128)
    (local $text v128) (local $high v128) (local $wrong v128)
    (local.set $lower (v128.load $bytes offset=0 (i32.const 0)))
    (local.set $upper (v128.load $bytes offset=16 (i32.const 0)))
    (local.set $shift (v128.load $bytes offset=32 (i32.const 0)))
    (local.set $half (v128.load $bytes offset=48 (i32.const 0)))
    (local.set $slash (v128.load $bytes offset=64 (i32.const 0)))
    (local.set $pair (v128.load $bytes offset=80 (i32.const 0)))
    (local.set $join (v128.load $bytes offset=96 (i32.const 0)))
    (local.set $order (v128.load $bytes offset=112 (i32.const 0)))
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
        (v128.store $bytes align=1 (local.get $to) (i8x16.relaxed_swizzle (local.get $text) (local.get $order)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 12)))
        (br $next)))
    (v128.any_true (local.get $wrong)))

  ;; Encodes the bytes `from … end`, a multiple of twelve, to `to`. Four bytes more are read, whatever they are.
  (func (export "encode") (param $from i32) (param $end i32) (param $to i32)
    (local $order v128) (local $downs v128) (local $down v128) (local $ups v128) (local $up v128)
    (local $capital v128) (local $letter v128) (local $shift v128)
    (local $triples v128) (local $numbers v128)
    (local.set $order (v128.load $bytes offset=128 (i32.const 0)))
    (local.set $downs (v128.load $bytes offset=144 (i32.const 0)))
    (local.set $down (v128.load $bytes offset=160 (i32.const 0)))
    (local.set $ups (v128.load $bytes offset=176 (i32.const 0)))
    (local.set $up (v128.load $bytes offset=192 (i32.const 0)))
    (local.set $capital (v128.load $bytes offset=208 (i32.const 0)))
    (local.set $letter (v128.load $bytes offset=224 (i32.const 0)))
    (local.set $shift (v128.load $bytes offset=240 (i32.const 0)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (local.set $triples (i8x16.relaxed_swizzle (v128.load $bytes align=1 (local.get $from)) (local.get $order)))
        (local.set $numbers (v128.or
          (i16x8.relaxed_q15mulr_s
            (v128.and (i16x8.shr_u (local.get $triples) (i32.const 1)) (local.get $downs))
            (local.get $down))
          (i16x8.mul (v128.and (local.get $triples) (local.get $ups)) (local.get $up))))
        (v128.store $texts align=1 (local.get $to) (i8x16.add (local.get $numbers) (i8x16.relaxed_swizzle (local.get $shift)
          (i8x16.sub
            (i8x16.sub_sat_u (local.get $numbers) (local.get $letter))
            (i8x16.gt_u (local.get $numbers) (local.get $capital))))))
        (local.set $from (i32.add (local.get $from) (i32.const 12)))
        (local.set $to (i32.add (local.get $to) (i32.const 16)))
        (br $next)))))
