//! How a change in a batch's header changes the checksum of the whole batch.
//!
//! A CRC is linear: the checksums of two inputs of the same length differ by what the CRC makes of the
//! difference of the inputs. Where they differ only in front, that is the difference of the front's checksums,
//! carried past the bytes that are the same. Carrying it past one bit multiplies it by x, modulo the CRC's
//! polynomial, so that carrying it past a megabyte is a handful of multiplications.

// CRC-32C's polynomial with the highest power in the lowest bit, as the CRC itself is kept.
const POLYNOMIAL: u32 = 0x82F6_3B78;

// The polynomial 1.
const ONE: u32 = 1 << 31;

// x to the power of 8, 16, 32, 64, ...: what carries a difference past 1, 2, 4, 8, ... bytes.
const PAST_BYTES: [u32; usize::BITS as usize] = {
    let mut powers = [0; usize::BITS as usize];
    let mut power = ONE >> 8;
    let mut rest: &mut [u32] = &mut powers;
    while let Some((first, others)) = rest.split_first_mut() {
        *first = power;
        power = multiply(power, power);
        rest = others;
    }
    powers
};

/// What `change`, the exclusive or of two checksums, becomes once `bytes` more bytes follow that are the same
/// on both sides.
pub(crate) fn moved_ahead(mut change: u32, bytes: usize) -> u32 {
    for (bit, &power) in PAST_BYTES.iter().enumerate() {
        if bytes >> bit & 1 == 1 {
            change = multiply(change, power);
        }
    }
    change
}

/// The product of two polynomials over the field of two elements, modulo the CRC's.
const fn multiply(mut left: u32, right: u32) -> u32 {
    let mut product = 0;
    let mut bit = ONE;
    while bit != 0 {
        // Masks instead of branches: the bits are as good as random.
        product ^= left & 0u32.wrapping_sub((right & bit != 0) as u32);
        left = (left >> 1) ^ (POLYNOMIAL & 0u32.wrapping_sub(left & 1));
        bit >>= 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_change_in_front_is_carried_to_the_end(left: [u8; 7], right: [u8; 7], tail: Vec<u8>) {
            let change = crc32c::crc32c(&left) ^ crc32c::crc32c(&right);
            let whole = |front: &[u8]| crc32c::crc32c(&[front, &tail].concat());
            prop_assert_eq!(moved_ahead(change, tail.len()), whole(&left) ^ whole(&right));
        }

        #[test]
        fn lengths_beyond_memory_agree_with_the_library(change: u32, bytes in 0..usize::MAX / 8) {
            prop_assert_eq!(moved_ahead(change, bytes), crc32c::crc32c_combine(change, 0, bytes));
        }
    }
}
