"""The types of TMF622 v4.0.0 and v5.0.0 that an order is made of: a line a type, with its attributes and what each holds.

An attribute without a word holds text; `!` marks one that its type must have; a type in brackets is a list of it. `typed` is an object that
says what it is by its `@type`. Source: TM Forum TMF622 Product Ordering API v4.0.0 and v5.0.0, schemas (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Attribute(NamedTuple):
    """What an attribute holds, whether as a list, and whether its type must have it."""

    kind: str
    several: bool
    needed: bool


V4 = """
AgreementItemRef: id! href agreementItemId name
AgreementRef: id! href name
AppointmentRef: id! href description
BillingAccountRef: id! href name
CancelProductOrder: id href cancellationReason effectiveCancellationDate=time requestedCancellationDate=time productOrder!=ProductOrderRef
  state=state
Characteristic: name! valueType value!=any
Money: unit value=number
Note: id author date=time text!
OrderItemRelationship: id relationshipType
OrderPrice: description name priceType recurringChargePeriod unitOfMeasure billingAccount=BillingAccountRef price=Price
  priceAlteration=[PriceAlteration] productOfferingPrice=ProductOfferingPriceRef
OrderTerm: description name duration=Quantity
PaymentRef: id! href name
Price: percentage=number taxRate=number dutyFreeAmount=Money taxIncludedAmount=Money
PriceAlteration: applicationDuration=whole description name priceType! priority=whole recurringChargePeriod unitOfMeasure price!=Price
  productOfferingPrice=ProductOfferingPriceRef
ProductOfferingPriceRef: id! href name
ProductOfferingQualificationItemRef: id! href name productOfferingQualificationHref productOfferingQualificationId!
  productOfferingQualificationName
ProductOfferingQualificationRef: id! href name
ProductOfferingRef: id! href name
ProductOrder: id href cancellationDate=time cancellationReason category completionDate=time description expectedCompletionDate=time
  externalId notificationContact orderDate=time priority requestedCompletionDate=time requestedStartDate=time agreement=[AgreementRef]
  billingAccount=BillingAccountRef channel=[RelatedChannel] note=[Note] orderTotalPrice=[OrderPrice] payment=[PaymentRef]
  productOfferingQualification=[ProductOfferingQualificationRef] productOrderItem!=[ProductOrderItem] quote=[QuoteRef]
  relatedParty=[RelatedParty] state=state
ProductOrderItem: id! quantity=whole action!=action appointment=AppointmentRef billingAccount=BillingAccountRef itemPrice=[OrderPrice]
  itemTerm=[OrderTerm] itemTotalPrice=[OrderPrice] payment=[PaymentRef] product=ProductRefOrValue productOffering=ProductOfferingRef
  productOfferingQualificationItem=ProductOfferingQualificationItemRef productOrderItem=[ProductOrderItem]
  productOrderItemRelationship=[OrderItemRelationship] qualification=[ProductOfferingQualificationRef] quoteItem=QuoteItemRef state=state
ProductOrderRef: id! href name
ProductPrice: description name priceType! recurringChargePeriod unitOfMeasure billingAccount=BillingAccountRef price!=Price
  productOfferingPrice=ProductOfferingPriceRef productPriceAlteration=[PriceAlteration]
ProductRefOrValue: id href description isBundle=flag isCustomerVisible=flag name orderDate=time productSerialNumber startDate=time
  terminationDate=time agreement=[AgreementItemRef] billingAccount=BillingAccountRef place=[RelatedPlaceRefOrValue]
  product=[ProductRefOrValue] productCharacteristic=[Characteristic] productOffering=ProductOfferingRef
  productOrderItem=[RelatedProductOrderItem] productPrice=[ProductPrice] productRelationship=[ProductRelationship]
  productSpecification=ProductSpecificationRef productTerm=[ProductTerm] realizingResource=[ResourceRef] realizingService=[ServiceRef]
  relatedParty=[RelatedParty] status=state
ProductRelationship: relationshipType! product!=ProductRefOrValue
ProductSpecificationRef: id! href name version targetProductSchema=TargetProductSchema
ProductTerm: description name duration=Quantity validFor=TimePeriod
Quantity: amount=number units
QuoteItemRef: id! href name quoteHref quoteId! quoteName
QuoteRef: id! href name
RelatedChannel: id! href name role
RelatedParty: id! href name role @referredType!
RelatedPlaceRefOrValue: id href name role!
RelatedProductOrderItem: orderItemAction orderItemId! productOrderHref productOrderId! role
ResourceRef: id! href name value
ServiceRef: id! href name
TargetProductSchema:
TimePeriod: endDateTime=time startDateTime=time
"""
"""The types of v4."""

V5 = """
EntityRef: id! href name
AgreementItemRef: agreementName agreementHref agreementId agreementItemId
AgreementRef: href id! name
AppointmentRef: href id! name description
BillingAccountRef: href id! name ratingType
CancelProductOrder: href id productOrder=ProductOrderRef creationDate=time requestedCancellationDate=time cancellationReason state=state
  effectiveCancellationDate=time
ChannelRef: href id! name
Characteristic: id name valueType characteristicRelationship=[CharacteristicRelationship]
CharacteristicRelationship: id relationshipType
Duration: amount=whole units
ExternalIdentifier: owner externalIdentifierType id
GeographicAddress: href id city country locality postcode stateOrProvince streetName streetNr streetNrLast streetNrLastSuffix
  streetNrSuffix streetSuffix streetType externalIdentifier=[ExternalIdentifier] geographicLocation=typed
  geographicSubAddress=[GeographicSubAddress] geographicAddressType
GeographicSubAddress: href id buildingName levelNumber levelType name privateStreetName privateStreetNumber
  subUnit=[GeographicSubAddressUnit] subAddressType
GeographicSubAddressUnit: subUnitNumber subUnitType
Money: unit value=number
Note: id author date=time text
OrderItemRelationship: id relationshipType
OrderPrice: description name productOfferingPrice=ProductOfferingPriceRef recurringChargePeriod unitOfMeasure
  billingAccount=BillingAccountRef priceAlteration=[PriceAlteration] price=Price priceType
OrderRelationship: href id! name relationshipType
OrderTerm: description duration=Duration name
PaymentRef: href id! name
Price: dutyFreeAmount=Money percentage=number taxIncludedAmount=Money taxRate=number
PriceAlteration: applicationDuration=whole description name productOfferingPrice=ProductOfferingPriceRef priceType priority=whole
  recurringChargePeriod unitOfMeasure price=Price
ProductOfferingPriceRef: href id! name version
ProductOfferingQualificationItemRef: productOfferingQualificationName productOfferingQualificationHref productOfferingQualificationId
  itemId
ProductOfferingQualificationRef: href id! name
ProductOfferingRef: href id! name version
ProductOrder: href id agreement=[AgreementRef] billingAccount=BillingAccountRef state=state requestedInitialState=state
  cancellationDate=time cancellationReason category channel=[RelatedChannel] description expectedCompletionDate=time
  externalId=[ExternalIdentifier] note=[Note] notificationContact orderTotalPrice=[OrderPrice] payment=[PaymentRef]
  orderRelationship=[OrderRelationship] priority productOfferingQualification=[ProductOfferingQualificationRef] quote=[QuoteRef]
  productOrderErrorMessage=[ProductOrderErrorMessage] productOrderJeopardyAlert=[ProductOrderJeopardyAlert]
  productOrderMilestone=[ProductOrderMilestone] productOrderItem=[ProductOrderItem] relatedParty=[RelatedPartyRefOrPartyRoleRef]
  requestedCompletionDate=time requestedStartDate=time creationDate=time completionDate=time
ProductOrderErrorMessage: code reason message status referenceError timestamp=time productOrderItem=[ProductOrderItemRef]
ProductOrderItem: quantity=whole action=action appointment=AppointmentRef billingAccount=BillingAccountRef itemPrice=[OrderPrice]
  itemTerm=[OrderTerm] itemTotalPrice=[OrderPrice] note=[Note] payment=[PaymentRef] product=ProductRefOrValue
  productOffering=ProductOfferingRef productOfferingQualificationItem=ProductOfferingQualificationItemRef quoteItem=QuoteItemRef
  productOrderItem=[ProductOrderItem] productOrderItemRelationship=[OrderItemRelationship] state=state
  qualification=[ProductOfferingQualificationRef] id
ProductOrderItemRef: ProductOrderHref productOrderId productOrderItemId
ProductOrderJeopardyAlert: id alertDate=time name jeopardyType exception message productOrderItem=[ProductOrderItemRef]
ProductOrderMilestone: description id status milestoneDate=time name message productOrderItem=[ProductOrderItemRef]
ProductOrderRef: href id! name
ProductPrice: description name productOfferingPrice=ProductOfferingPriceRef recurringChargePeriod unitOfMeasure price=Price
  priceAlteration=[PriceAlteration] priceType
ProductRefOrValue: href id agreementItem=[AgreementItemRef] billingAccount=BillingAccountRef creationDate=time description isBundle=flag
  isCustomerVisible=flag name orderDate=time productCharacteristic=[Characteristic] productOffering=ProductOfferingRef
  productOrderItem=[RelatedOrderItem] product=[ProductRefOrValue] productPrice=[ProductPrice] productRelationship=[ProductRelationship]
  productSerialNumber productSpecification=ProductSpecificationRef productTerm=[ProductTerm] realizingResource=[ResourceRef]
  realizingService=[ServiceRef] relatedParty=[RelatedPartyOrPartyRole] place=[RelatedPlaceRefOrValue] startDate=time status=state
  terminationDate=time intent=typed
ProductRelationship: href id! name relationshipType
ProductSpecificationRef: href id! name version targetProductSchema=TargetProductSchema
ProductTerm: description duration=Duration validFor=TimePeriod name
QuoteItemRef: quoteHref quoteId quoteItemId
QuoteRef: href id! name
RelatedChannel: role channel=ChannelRef
RelatedOrderItem: orderItemAction=action orderHref role orderId orderItemId
RelatedPartyOrPartyRole: role partyOrPartyRole=typed
RelatedPartyRefOrPartyRoleRef: role partyOrPartyRole=typed
RelatedPlaceRefOrValue: role place=typed
ResourceRef: href id! name
ServiceRef: href id! name
TargetProductSchema:
TimePeriod: startDateTime=time endDateTime=time
"""
"""The types of v5. What is a place or a party in it says so by its `@type`."""


def read(table: str) -> Mapping[str, Mapping[str, Attribute]]:
    """Read a table: by type, its attributes."""
    found: dict[str, dict[str, Attribute]] = {}
    name = ""
    for word in table.split():
        if word.endswith(":"):
            name = word[:-1]
            found[name] = {}
            continue
        attribute, _, kind = word.partition("=")
        found[name][attribute.rstrip("!")] = Attribute(kind.strip("[]") or "text", kind.startswith("["), attribute.endswith("!"))
    return found


TYPES: Mapping[int, Mapping[str, Mapping[str, Attribute]]] = {4: read(V4), 5: read(V5)}
"""By version: the types."""
