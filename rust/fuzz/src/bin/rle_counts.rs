//! Lets libFuzzer drive the target `rle_counts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ropewalk_fuzz::targets::rle_counts(input);
});
