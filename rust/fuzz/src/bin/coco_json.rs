//! Lets libFuzzer drive the target `coco_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ropewalk_fuzz::targets::coco_json(input);
});
