//! Where the operations of the metering service are offered (the API reference's list of regions).

use souk_core::ids::Region;

/// Where sellers and buyers meter, in the order of the names.
const METERING: [&str; 30] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-central-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];
/// Where programs on instances meter, too.
const INSTANCES_BESIDES: [&str; 2] = ["us-gov-east-1", "us-gov-west-1"];

/// Whether BatchMeterUsage, RegisterUsage and ResolveCustomer are offered in a region.
pub fn offers_metering(region: &Region) -> bool {
    METERING.binary_search(&region.as_str()).is_ok()
}

/// Whether MeterUsage is offered in a region.
pub fn offers_meter_usage(region: &Region) -> bool {
    offers_metering(region) || INSTANCES_BESIDES.contains(&region.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_found_by_their_names() {
        assert!(METERING.is_sorted());
        assert!(METERING.iter().all(|name| offers_metering(&Region::new(name))));
        for (name, metering, meter_usage) in [
            ("us-east-1", true, true),
            ("us-gov-west-1", false, true),
            ("mars-north-1", false, false),
            ("", false, false),
            ("US-EAST-1", false, false),
        ] {
            let region = Region::new(name);
            assert_eq!(
                (offers_metering(&region), offers_meter_usage(&region)),
                (metering, meter_usage),
                "{name}"
            );
        }
    }
}
