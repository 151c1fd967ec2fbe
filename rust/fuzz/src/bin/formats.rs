//! Lets libFuzzer drive the target `formats`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ropewalk_fuzz::targets::formats(input);
});
