//! The public test vectors of the specification, and the worked example of its documentation.

use http::Request;
use souk_core::time::Timestamp;

use super::{Mode, Policy, SignedRequest, authenticate};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const NOW: &str = "2015-08-30T12:36:00Z";
const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";

type Header<'a> = (&'a str, &'a str);
/// Method, path and query, headers besides host and date, body, signed headers, signature.
type Row<'a> = (&'a str, &'a str, &'a [Header<'a>], &'a str, &'a str, &'a str);

fn holds(request: &Request<Vec<u8>>, service: &str) {
    let policy =
        Policy { mode: Mode::Verify, signing_names: &[service], now: Timestamp::parse(NOW).unwrap() };
    let signed = SignedRequest {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        body: request.body(),
    };
    let caller = authenticate(&policy, &signed, |key| (key == "AKIDEXAMPLE").then_some(SECRET));
    assert_eq!(caller.unwrap().region.as_deref(), Some("us-east-1"), "{request:?}");
}

#[test]
fn signatures_in_headers_hold() {
    let form = [("content-type", "application/x-www-form-urlencoded"), ("content-length", "13")];
    let form_charset =
        [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("content-length", "13")];
    let form_hash = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
    let unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let unreserved_path = format!("/{unreserved}");
    let unreserved_query = format!("/?{unreserved}={unreserved}");
    let hashed = |list: [Header<'static>; 2]| vec![list[0], list[1], ("x-amz-content-sha256", form_hash)];
    let (form, form_charset) = (hashed(form), hashed(form_charset));
    const HOST_DATE: &str = "host;x-amz-date";
    const FORM: &str = "content-length;content-type;host;x-amz-content-sha256;x-amz-date";
    let rows: [Row<'_>; 21] = [
        ("GET", "/", &[], "", HOST_DATE, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", &[], "", HOST_DATE, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/example/..",
            &[],
            "",
            HOST_DATE,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET",
            "/example1/example2/../..",
            &[],
            "",
            HOST_DATE,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET",
            "/./",
            &[],
            "",
            HOST_DATE,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        ("GET", "//", &[], "", HOST_DATE, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET",
            "/./example",
            &[],
            "",
            HOST_DATE,
            "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        ),
        (
            "GET",
            "//example//",
            &[],
            "",
            HOST_DATE,
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
        (
            "GET",
            &unreserved_path,
            &[],
            "",
            HOST_DATE,
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "GET",
            &unreserved_query,
            &[],
            "",
            HOST_DATE,
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        (
            "GET",
            "/?Param1=value1",
            &[],
            "",
            HOST_DATE,
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        ),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            &[],
            "",
            HOST_DATE,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
            &[],
            "",
            HOST_DATE,
            "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
        ),
        (
            "POST",
            "/?Param1=value1",
            &[],
            "",
            HOST_DATE,
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
        (
            "GET",
            "/",
            &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
            "",
            "host;my-header1;x-amz-date",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ),
        (
            "GET",
            "/",
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "",
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "POST",
            "/",
            &[("My-Header1", "value1")],
            "",
            "host;my-header1;x-amz-date",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "POST",
            "/",
            &[("My-Header1", "VALUE1")],
            "",
            "host;my-header1;x-amz-date",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "GET",
            "/",
            &[("x-amz-security-token", TOKEN)],
            "",
            "host;x-amz-date;x-amz-security-token",
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
        (
            "POST",
            "/",
            &form,
            "Param1=value1",
            FORM,
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
        (
            "POST",
            "/",
            &form_charset,
            "Param1=value1",
            FORM,
            "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
        ),
    ];
    for (method, uri, headers, body, signed_headers, signature) in rows {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("Host", "example.amazonaws.com")
            .header("X-Amz-Date", "20150830T123600Z")
            .header(
                "Authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders={signed_headers}, Signature={signature}"
                ),
            );
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        holds(&request.body(body.as_bytes().to_vec()).unwrap(), "service");
    }
}

#[test]
fn signatures_in_queries_hold() {
    let rows = [
        ("", "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"),
        (
            "&X-Amz-Security-Token=6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
            "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c",
        ),
    ];
    for (token, signature) in rows {
        let uri = format!(
            "/?X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request\
             &X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600{token}\
             &X-Amz-Signature={signature}"
        );
        let request = Request::builder().uri(uri).header("Host", "example.amazonaws.com");
        holds(&request.body(Vec::new()).unwrap(), "service");
    }
}

#[test]
fn the_documentation_s_example_holds() {
    let request = Request::builder()
        .uri("/?Action=ListUsers&Version=2010-05-08")
        .header("Host", "iam.amazonaws.com")
        .header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("X-Amz-Date", "20150830T123600Z")
        .header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        );
    holds(&request.body(Vec::new()).unwrap(), "iam");
}
