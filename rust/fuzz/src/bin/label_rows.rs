//! Lets libFuzzer drive the target `label_rows`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ropewalk_fuzz::targets::label_rows(input);
});
