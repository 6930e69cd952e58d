-- AlterTable
ALTER TABLE "User" ADD COLUMN     "wayToldUntil" TIMESTAMPTZ(3);
