-- The person wrote е, and gets the video of the name with ё.
ALTER TABLE "UserRequest" ADD COLUMN "wroteE" BOOLEAN NOT NULL DEFAULT false;
