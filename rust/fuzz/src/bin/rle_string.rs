//! Lets libFuzzer drive the target `rle_string`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ropewalk_fuzz::targets::rle_string(input);
});
