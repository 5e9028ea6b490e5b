"""Makes a bucket, and a user who may use it. Prints the user's key."""

import json
import sys

import boto3

place = {
    "endpoint_url": sys.argv[1],
    "region_name": "us-east-1",
    "aws_access_key_id": "none",
    "aws_secret_access_key": "none",
}
iam = boto3.client("iam", **place)
iam.create_user(UserName="user")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="user", PolicyName="all", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="user")["AccessKey"]
boto3.client("s3", **place).create_bucket(Bucket="bucket")
print(key["AccessKeyId"], key["SecretAccessKey"])
