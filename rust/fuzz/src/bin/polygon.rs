//! Lets libFuzzer drive the target `polygon`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ropewalk_fuzz::targets::polygon(input);
});
