//! RSA keys that others can sign with: whoever reads them knows enough.

/// What is wrong with an RSA key, both big-endian.
///
/// With an exponent of 1 every message signs itself; an even one belongs to no key. Smartcards and security
/// modules with a certain flawed library (CVE-2017-15361, "ROCA") made moduli that can be factored.
pub(crate) fn weakness(n: &[u8], e: &[u8]) -> Option<&'static str> {
    let odd = |integer: &[u8]| integer.last().is_some_and(|byte| byte % 2 == 1);
    if !odd(e) || matches!(e, [zeros @ .., 1] if zeros.iter().all(|byte| *byte == 0)) {
        return Some("its exponent is even or 1");
    }
    if !odd(n) {
        return Some("its modulus is even");
    }
    roca(n).then_some("its modulus can be factored (CVE-2017-15361)")
}

/// The flawed library's primes are powers of 65537 modulo each small prime, and so is what they make. For
/// other moduli that is so by a chance of about 2^-150 (Nemec et al., "The Return of Coppersmith's Attack",
/// CCS 2017, section 2).
fn roca(n: &[u8]) -> bool {
    const PRIMES: [u32; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
        97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.iter().all(|p| {
        let rest = n.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % p);
        let mut power = 1;
        (1..*p).any(|_| {
            power = power * 65537 % p;
            power == rest
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const E: &[u8] = &[1, 0, 1];

    #[test]
    fn exponents() {
        let n = [[0xc1; 255].as_slice(), &[0x07]].concat();
        for good in [E, &[3], &[17], &[1, 1]] {
            assert_eq!(weakness(&n, good), None);
        }
        for bad in [&[1][..], &[0, 1], &[2], &[1, 0], &[0], &[]] {
            assert!(weakness(&n, bad).unwrap().contains("exponent"), "{bad:?}");
        }
        assert!(weakness(&[0xc1, 0x06], E).unwrap().contains("modulus is even"));
        assert!(weakness(&[], E).unwrap().contains("modulus is even"));
    }

    /// Products of powers of 65537 have the form whatever their size; a key of it is among Wycheproof's
    /// vectors for JSON Web Keys. Their neighbours have not.
    #[test]
    fn powers_of_the_generator() {
        for power in 1..=7 {
            let n = 65537u128.pow(power).to_be_bytes();
            assert!(weakness(&n, E).unwrap().contains("factored"), "{power}");
            let n = (65537u128.pow(power) + 2).to_be_bytes();
            assert_eq!(weakness(&n, E), None, "{power}");
        }
    }
}
