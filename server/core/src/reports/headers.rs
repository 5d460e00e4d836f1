//! The columns of reports to the letter, in AWS's order, beside what the reports say themselves.

use super::by_name;

/// Data set and columns.
const HEADERS: &[(&str, &str)] = &[
    (
        "daily_business_usage_by_instance_type",
        "Customer Reference ID, User’s State, User’s Country, Product Title, Product Code, Instance Type, \
         Usage Units, Usage Unit Type, Offering Description, Estimated Revenue, Currency, Offer ID, Offer \
         Visibility, Customer AWS Account Number, Customer Country, Customer State, Customer City, Customer \
         Zip Code, Customer Email Domain, Solution Title, Solution ID, Payer Reference ID, Payer Address ID",
    ),
    (
        "daily_business_fees",
        "Customer Reference ID, User’s State, User’s Country, Product Title, Product Code, Amount, Currency, \
         Fee Description, Customer AWS Account Number, Customer Country, Customer State, Customer City, \
         Customer Zip Code, Customer Email Domain, Start Date, End Date, Quantity, Dimension, Solution Title, \
         Solution ID, Payer Reference ID, Payer Address ID",
    ),
    (
        "daily_business_free_trial_conversions",
        "Product Title, Product Code, New Free Trials, Total Current Free Trials, Converted Free Trials, \
         Non-Converted Free Trials, Solution Title, Solution ID",
    ),
    (
        "daily_business_new_instances",
        "Customer Reference ID, User’s State, User’s Country, Product Title, Product Code, Type, Count, \
         Customer AWS Account Number, Customer Country, Customer State, Customer City, Customer Zip Code, \
         Customer Email Domain, Solution Title, Solution ID, Payer Reference ID, Payer Address ID",
    ),
    (
        "daily_business_new_product_subscribers",
        "Customer Reference ID, User’s State, User’s Country, Product Title, Product Code, Offer ID, Offer \
         Visibility, Customer Country, Customer State, Customer City, Customer Zip Code, Customer Email \
         Domain, Solution Title, Solution ID, Payer Reference ID, Payer Address ID",
    ),
    (
        "daily_business_canceled_product_subscribers",
        "Customer Reference ID, User’s State, User’s Country, Product Title, Product Code, Subscribed Date, \
         Offer ID, Offer Visibility, Customer AWS Account Number, Customer Country, Customer State, Customer \
         City, Customer Zip Code, Customer Email Domain, Solution Title, Solution ID, Payer Reference ID, \
         Payer Address ID",
    ),
    (
        "daily_usage_v1",
        "valid_from, insert_date, update_date, delete_date, usage_feed_id, usage_date, product_id, \
         agreement_id, end_user_account_id, payer_account_id, region, dimension_key, usage_unit, \
         usage_quantity, pricing_currency, estimated_revenue_in_pricing_currency, recipient_account_id, \
         offer_id, usage_rate_per_unit_in_pricing_currency, charge_item_description",
    ),
    (
        "billed_revenue_dashboard",
        "invoice_date, payment_due_date, payment_term, invoice_id, listing_fee_invoice_id, \
         wholesale_invoice_id, seller_issued_invoice_id, seller_issued_invoice_variant, \
         subscriber_company_name, subscriber_aws_account_id, subscriber_encrypted_account_id, \
         subscriber_email_domain, subscriber_city, subscriber_state_or_region, subscriber_country, \
         subscriber_postal_code, subscriber_address_id, product_title, offer_name, offer_id, offer_set_id, \
         offer_visibility, agreement_id, agreement_start_date, agreement_acceptance_date, agreement_end_date, \
         accepted_term_types, catalog, usage_period_start_date, usage_period_end_date, disbursement_status, \
         disbursement_date, disburse_bank_trace_id, disbursement_reference_number, gross_revenue, \
         gross_refund, listing_fee, listing_fee_refund, listing_fee_percentage, seller_tax_share, \
         seller_tax_share_refund, aws_tax_share, aws_tax_share_refund, aws_tax_share_listing_fee, \
         aws_tax_share_refund_listing_fee, wholesale_cost, wholesale_cost_refund, wholesale_seller_tax_share, \
         wholesale_seller_tax_share_refund, wholesale_other_seller_tax_share, \
         wholesale_other_seller_tax_share_refund, wholesale_aws_tax_share, wholesale_aws_tax_share_refund, \
         seller_net_revenue, collected_net_revenue, uncollected_net_revenue, last_collection_date, currency, \
         transaction_reference_id, aws_seller_of_record, resale_authorization_id, resale_authorization_name, \
         resale_authorization_description, reseller_company_name, reseller_aws_account_id, \
         payer_company_name, payer_aws_account_id, payer_encrypted_account_id, payer_email_domain, \
         payer_city, payer_state, payer_country, payer_postal_code, payer_address_id, isv_account_id, \
         isv_company_name, product_id, disbursed_net_revenue, undisbursed_net_revenue, \
         silent_internal_report_transaction",
    ),
    (
        "productfeed_v1",
        "valid_from, insert_date, update_date, delete_date, product_id, manufacturer_account_id, \
         product_code, title",
    ),
    (
        "offerfeed_v1",
        "valid_from, insert_date, update_date, delete_date, offer_id, offer_revision, name, expiration_date, \
         opportunity_name, opportunity_description, seller_account_id, opportunity_id",
    ),
    (
        "offerproductfeed_v1",
        "valid_from, insert_date, update_date, delete_date, offer_id, offer_revision, product_id",
    ),
    (
        "offertargetfeed_v1",
        "valid_from, insert_date, update_date, delete_date, offer_target_id, offer_id, offer_revision, \
         target_type, polarity, value",
    ),
    (
        "accountfeed_v1",
        "valid_from, insert_date, update_date, delete_date, account_id, aws_account_id, encrypted_account_id, \
         mailing_address_id, tax_address_id, tax_registration_number, tax_legal_name",
    ),
    (
        "agreementfeed_v1",
        "valid_from, insert_date, update_date, delete_date, Status, estimated_agreement_value, currency_code, \
         agreement_id, license_ids, proposer_account_id, acceptor_account_id, offer_revision_at_acceptance, \
         offer_set_id, start_time, end_time, acceptance_time, intent, preceding_agreement_id, \
         status_reason_code, recipient_account_id",
    ),
    (
        "agreementchargefeed_v1",
        "valid_from, insert_date, update_date, delete_date, amount, currency_code, time, agreement_id, \
         term_id",
    ),
    (
        "disbursed_amount_by_customer_geo",
        "Settlement ID, Settlement Period Start Date, Settlement Period End Date, Deposit Date, Disbursed \
         Amount, Country Code, State or Region, City, Postal Code, Net Amount by Tax Location, Gross Amount \
         by Tax Location, Seller U.S. Sales Tax, Seller U.S. Sales Tax Refund",
    ),
    (
        "disbursed_amount_by_instance_hours",
        "Product, Product Code, Usage Type Description, Rate, User Count, Instance Hours, Solution Title, \
         Solution ID",
    ),
    (
        "customer_subscriber_hourly_monthly_subscriptions",
        "Customer AWS Account Number, Product Title, Product Id, Product Code, Subscription Start Date, Offer \
         ID, Offer Visibility, Solution Title, Solution ID, Payer Reference ID, Reseller account ID, Reseller \
         account name",
    ),
    (
        "customer_subscriber_annual_subscriptions",
        "Customer AWS Account Number, Product Title, Product Id, Product Code, Subscription Id, Subscription \
         Quantity, Subscription Type, Subscription Intent, Offer ID, Subscription Start Date, Previous Offer \
         ID, Offer Visibility, Solution Title, Solution ID, Payer Reference ID, Reseller account ID, Reseller \
         account name",
    ),
    (
        "agreement_details",
        "vendor_display_name, vendor_aws_account_id, subscriber_aws_account_id, customer_id, product_title, \
         offer_id, offer_visibility, reseller_name, reseller_aws_account_id, agreement_id, \
         agreement_acceptance_date, agreement_start_date, agreement_end_date, is_free_trial_offer, \
         total_contract_value",
    ),
];

#[test]
fn columns_are_those_of_aws_to_the_letter() {
    for (name, columns) in HEADERS {
        let report = by_name(name).unwrap_or_else(|| panic!("there is no report {name}"));
        assert_eq!(report.columns.join(", "), *columns, "{name}");
    }
}
