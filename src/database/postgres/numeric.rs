//! Exact numbers: their one text, and their bytes for COPY.

/// Digits with at most a sign and a point.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Groups of four digits with the weight of the first (`numeric_recv`).
pub(super) fn put_numeric(text: &str, out: &mut Vec<u8>) -> Result<(), &'static str> {
    const LIMIT: &str = "the range of NUMERIC";
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let front = (4 - whole.len() % 4) % 4;
    let back = (4 - fraction.len() % 4) % 4;
    let all = format!("{}{whole}{fraction}{}", "0".repeat(front), "0".repeat(back));
    let group = |four: &[u8]| four.iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    let groups: Vec<i16> = all.as_bytes().chunks(4).map(group).collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let trailing = groups[leading..].iter().rev().take_while(|group| **group == 0).count();
    let kept = &groups[leading..groups.len() - trailing];
    let short = |number: usize| i16::try_from(number).map_err(|_| LIMIT);
    let weight = if kept.is_empty() { 0 } else { short(whole.len().div_ceil(4))? - 1 - short(leading)? };
    let sign: u16 = if is_negative && !kept.is_empty() { 0x4000 } else { 0 };
    out.extend(short(kept.len())?.to_be_bytes());
    out.extend(weight.to_be_bytes());
    out.extend(sign.to_be_bytes());
    out.extend(short(fraction.len())?.to_be_bytes());
    kept.iter().for_each(|group| out.extend(group.to_be_bytes()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::plain_number;

    #[test]
    fn an_exact_number_is_written_in_one_way() {
        for (text, plain) in [
            ("1.50", "1.5"),
            ("-0.0", "0"),
            ("007", "7"),
            ("0.10", "0.1"),
            ("-12.00", "-12"),
            ("100", "100"),
            (".5", "0.5"),
        ] {
            assert_eq!(plain_number(text), plain);
        }
    }

    #[test]
    fn a_number_goes_over_the_wire_in_groups_of_four_digits() {
        let of = |text: &str| {
            let mut out = Vec::new();
            put_numeric(text, &mut out).unwrap();
            out.chunks(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect::<Vec<_>>()
        };
        assert_eq!(of("0"), [0, 0, 0, 0]);
        assert_eq!(of("-0.00"), [0, 0, 0, 2]);
        assert_eq!(of("12345.678"), [3, 1, 0, 3, 1, 2345, 6780]);
        assert_eq!(of("-0.00012"), [2, -1, 0x4000, 5, 1, 2000]);
        assert_eq!(of("10000"), [1, 1, 0, 0, 1]);
    }
}
